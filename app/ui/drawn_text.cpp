#include "app/ui/drawn_text.hpp"

#include <algorithm>
#include <cmath>
#include <imgui_internal.h>
#include <span>

namespace lab {

namespace {

bool same(ImVec2 a, ImVec2 b) {
    return std::abs(a.x - b.x) < 1e-6f && std::abs(a.y - b.y) < 1e-6f;
}

}  // namespace

DrawnText::DrawnText() {
    for (const ImFont* font : ImGui::GetIO().Fonts->Fonts)
        for (const ImFontGlyph& glyph : font->Glyphs)
            if (glyph.Visible) letters_.insert({glyph.U0, glyph.V0});
}

// Letters are quads whose first corner has the texture coordinates of a glyph.
std::vector<Glyph> DrawnText::read(const ImDrawData& frame) const {
    std::vector<Glyph> glyphs;
    for (int l = 0; l < frame.CmdListsCount; ++l) {
        const ImDrawList& list = *frame.CmdLists[l];
        for (const ImDrawCmd& command : list.CmdBuffer)
            for (unsigned i = 0; i + 5 < command.ElemCount;) {
                const auto index = [&](unsigned k) {
                    return list.IdxBuffer[static_cast<int>(command.IdxOffset + i + k)] + command.VtxOffset;
                };
                const auto vertex = [&](unsigned k) -> const ImDrawVert& {
                    return list.VtxBuffer[static_cast<int>(index(k))];
                };
                const bool letter = letters_.count({vertex(0).uv.x, vertex(0).uv.y}) > 0;
                if (letter)
                    glyphs.push_back(
                        {{vertex(0).pos, vertex(2).pos},
                         {{command.ClipRect.x, command.ClipRect.y}, {command.ClipRect.z, command.ClipRect.w}},
                         vertex(0).uv,
                         vertex(0).col,
                         index(0),
                         l});
                i += letter ? 6 : 3;
            }
    }
    return glyphs;
}

std::vector<plot::Rect> find_words(const std::vector<Glyph>& all, const std::string& words,
                                   const ImFont* font) {
    std::vector<ImVec2> wanted;
    for (const char* at = words.c_str(); *at != 0;) {
        unsigned character = 0;
        at += ImTextCharFromUtf8(&character, at, nullptr);
        const ImFontGlyph& glyph = *font->FindGlyph(static_cast<ImWchar>(character));
        if (glyph.Visible) wanted.push_back({glyph.U0, glyph.V0});
    }
    std::vector<plot::Rect> found;
    if (wanted.empty()) return found;
    for (size_t i = 0; i + wanted.size() <= all.size(); ++i) {
        size_t k = 0;
        while (k < wanted.size() && same(all[i + k].uv, wanted[k])) ++k;
        if (k < wanted.size()) continue;
        plot::Rect rect = all[i].rect;
        for (const Glyph& glyph : std::span(all).subspan(i, k)) {
            rect.min = {std::min(rect.min.x, glyph.rect.min.x), std::min(rect.min.y, glyph.rect.min.y)};
            rect.max = {std::max(rect.max.x, glyph.rect.max.x), std::max(rect.max.y, glyph.rect.max.y)};
        }
        found.push_back(rect);
    }
    return found;
}

}  // namespace lab
