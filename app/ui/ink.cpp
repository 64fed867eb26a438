#include "app/ui/ink.hpp"

#include <algorithm>
#include <cmath>

namespace lab::plot {

namespace {

ImVec2 operator+(ImVec2 a, ImVec2 b) {
    return {a.x + b.x, a.y + b.y};
}
ImVec2 operator-(ImVec2 a, ImVec2 b) {
    return {a.x - b.x, a.y - b.y};
}
ImVec2 operator*(ImVec2 a, float s) {
    return {a.x * s, a.y * s};
}
constexpr float pi = 3.14159265f;
float dot(ImVec2 a, ImVec2 b) {
    return a.x * b.x + a.y * b.y;
}

// Across a line lies a soft-edged profile that ImGui keeps in the font texture for lines of whole widths: two
// vertices and two triangles a segment, which is what a frame's time goes into.
struct Profile {
    ImVec2 uv_left, uv_right;
    float reach;  // from the middle to the clear edge
};

Profile profile(float width) {
    const int whole = std::clamp(static_cast<int>(std::lround(width)), 1, IM_DRAWLIST_TEX_LINES_WIDTH_MAX);
    const ImVec4& uv = ImGui::GetIO().Fonts->TexUvLines[whole];
    return {{uv.x, uv.y}, {uv.z, uv.w}, std::max(width, 1.0f) / 2 + 1};
}

void add_cross_section(ImDrawList& list, const Profile& p, ImVec2 at, ImVec2 normal, Color color) {
    list.PrimWriteVtx(at + normal * p.reach, p.uv_left, color);
    list.PrimWriteVtx(at - normal * p.reach, p.uv_right, color);
}

}  // namespace

void stroke(ImDrawList& list, std::span<const ImVec2> points, Color color, float width) {
    const Profile p = profile(width);
    const Color ink = width < 1 ? faded(color, width) : color;  // below one pixel a line is paler instead
    ImVec2 previous_normal{};
    for (size_t i = 0; i + 1 < points.size();) {
        // Long lines in pieces, as a vertex index has 16 bits.
        const size_t segments = std::min<size_t>(points.size() - 1 - i, 4000);
        list.PrimReserve(static_cast<int>(segments * 6), static_cast<int>(segments * 4));
        unsigned vertices = 0, indices = 0, open = 0;
        for (const size_t last = i + segments; i < last; ++i) {
            const ImVec2 along = points[i + 1] - points[i];
            const float length = std::sqrt(dot(along, along));
            if (length < 1e-3f) continue;
            const ImVec2 normal{-along.y / length, along.x / length};
            unsigned start = open;
            if (vertices > 0 && dot(normal, previous_normal) > 0.5f) {
                // The previous segment's end serves both: turn it into the mitre.
                const ImVec2 sum = normal + previous_normal;
                list._VtxWritePtr -= 2;
                list._VtxCurrentIdx -= 2;
                add_cross_section(list, p, points[i], sum * (2 / dot(sum, sum)), ink);
            } else {
                start = list._VtxCurrentIdx;
                const float cap = vertices > 0 ? width * 0.35f / length : 0;
                add_cross_section(list, p, points[i] - along * cap, normal, ink);
                vertices += 2;
            }
            open = list._VtxCurrentIdx;
            add_cross_section(list, p, points[i + 1], normal, ink);
            vertices += 2;
            for (const unsigned index : {start, start + 1, open + 1, start, open + 1, open})
                list.PrimWriteIdx(static_cast<ImDrawIdx>(index));
            indices += 6;
            previous_normal = normal;
        }
        list.PrimUnreserve(static_cast<int>(segments * 6 - indices),
                           static_cast<int>(segments * 4 - vertices));
    }
}

void area(ImDrawList& list, std::span<const ImVec2> upper, std::span<const ImVec2> lower, Color color) {
    if (upper.size() < 2) return;
    const int count = static_cast<int>(upper.size());
    list.PrimReserve((count - 1) * 6, count * 2);
    const unsigned first = list._VtxCurrentIdx;
    const ImVec2 uv = ImGui::GetFontTexUvWhitePixel();
    for (size_t i = 0; i < upper.size(); ++i) {
        list.PrimWriteVtx(upper[i], uv, color);
        list.PrimWriteVtx(lower[i], uv, color);
    }
    for (unsigned i = 0; i + 1 < upper.size(); ++i)
        for (const unsigned corner : {0u, 2u, 3u, 0u, 3u, 1u})
            list.PrimWriteIdx(static_cast<ImDrawIdx>(first + 2 * i + corner));
}

void hatch(const Look& look, ImDrawList& list, const Rect& rect) {
    list.PushClipRect(rect.min, rect.max, true);
    const ImVec2 seen_min = list.GetClipRectMin(), seen_max = list.GetClipRectMax();
    const float height = rect.height(), pitch = look.px(10);
    const float before = std::max(std::floor((seen_min.x - height - rect.min.x) / pitch), 0.0f);
    for (float x = rect.min.x - height + before * pitch; x < std::min(rect.max.x, seen_max.x); x += pitch) {
        const ImVec2 line[2] = {{x, rect.max.y}, {x + height, rect.min.y}};
        stroke(list, line, look.theme.faint, 1);
    }
    list.PopClipRect();
}

void disc(ImDrawList& list, const Fonts& fonts, ImVec2 center, float radius, Color color) {
    list.PrimReserve(6, 4);
    const ImVec2 reach{radius, radius};
    list.PrimRectUV(center - reach, center + reach, fonts.disc_low, fonts.disc_high, color);
}

void quad(ImDrawList& list, ImVec2 min, ImVec2 max, const Color (&corners)[4]) {
    list.PrimReserve(6, 4);
    const unsigned first = list._VtxCurrentIdx;
    const ImVec2 uv = ImGui::GetFontTexUvWhitePixel();
    list.PrimWriteVtx(min, uv, corners[0]);
    list.PrimWriteVtx({max.x, min.y}, uv, corners[1]);
    list.PrimWriteVtx(max, uv, corners[2]);
    list.PrimWriteVtx({min.x, max.y}, uv, corners[3]);
    for (const unsigned corner : {0u, 1u, 2u, 0u, 2u, 3u})
        list.PrimWriteIdx(static_cast<ImDrawIdx>(first + corner));
}

void card(const Look& look, ImDrawList& list, const Rect& frame, float rounding, Color fill, Color outline,
          float thickness) {
    look.plates.push_back({frame.min, frame.max, fill});
    // The ground shows outside the rounded corners.
    const float r = rounding;
    const auto corner = [&](ImVec2 tip, ImVec2 center, float from) {
        list.PathLineTo(tip);  // the fill is a fan around it
        list.PathArcTo(center, r, from + pi / 2, from, 6);
        list.PathFillConvex(look.theme.ground);
    };
    const ImVec2 a = frame.min, b = frame.max;
    corner(a, {a.x + r, a.y + r}, pi);
    corner({b.x, a.y}, {b.x - r, a.y + r}, pi * 1.5f);
    corner(b, {b.x - r, b.y - r}, 0);
    corner({a.x, b.y}, {a.x + r, b.y - r}, pi / 2);
    list.AddRect(a, b, outline, r, 0, thickness);
}

void text(ImDrawList& list, ImFont* font, ImVec2 position, Color color, const char* begin, const char* end) {
    list.AddText(font, font->FontSize, {std::round(position.x), std::round(position.y)}, color, begin, end);
}

ImVec2 text_size(ImFont* font, const char* begin, const char* end) {
    return font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, begin, end);
}

std::string fitted(ImFont* font, const std::string& whole, float width) {
    if (text_size(font, whole.c_str()).x <= width) return whole;
    const auto begins_a_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    for (size_t kept = whole.size(); kept-- > 1;) {
        if (!begins_a_character(whole[kept])) continue;
        const std::string part = whole.substr(0, kept) + "..";
        if (text_size(font, part.c_str()).x <= width) return part;
    }
    return "";
}

}  // namespace lab::plot
