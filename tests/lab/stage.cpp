#include "lab/stage.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <iostream>

namespace lab::testing {

namespace {

std::string selected;
std::unique_ptr<Gpu> gpu;
bool spoke_outside_of_tests = false;

void on_message(std::string_view message) {
    if (::testing::UnitTest::GetInstance()->current_test_info()) {
        ADD_FAILURE() << message;
    } else {
        std::cerr << message << '\n';
        spoke_outside_of_tests = true;
    }
}

bool same(ImVec2 a, ImVec2 b) {
    return std::abs(a.x - b.x) < 1e-6f && std::abs(a.y - b.y) < 1e-6f;
}

}  // namespace

void select_test_gpu(const std::string& name) {
    selected = name;
}

Gpu& test_gpu() {
    if (!gpu)
        gpu = std::make_unique<Gpu>(GpuOptions{.select = selected,
                                               .validation = true,
                                               .on_validation_message = on_message,
                                               .window_extensions = {}});
    return *gpu;
}

bool destroy_test_gpu() {
    gpu.reset();
    return !spoke_outside_of_tests;
}

Stage::Stage(const Settings& settings, uint64_t steps, ImVec2 screen_size, std::span<const MakeTab> tabs)
    : size(screen_size),
      commands(synthetic_run(settings, steps)),
      screen(1, least_window),
      shell(commands, tabs) {
    for (const ImFont* font : ImGui::GetIO().Fonts->Fonts)
        for (const ImFontGlyph& glyph : font->Glyphs)
            if (glyph.Visible) letters_.insert({glyph.U0, glyph.V0});
    frame();
    frame();
}

void Stage::frame() {
    screen.begin(size, 1.0f / 30);
    const Requests now = shell.draw(screen, 12.3f);
    requests.screenshot |= now.screenshot;
    requests.export_run |= now.export_run;
    requests.close |= now.close;
    frame_ = screen.end();
    glyphs_.reset();
}

void Stage::settle() {
    for (int i = 0; i < 100 && !screen.input().empty(); ++i) frame();
    for (int i = 0; i < 3; ++i) frame();
}

Picture Stage::picture() {
    Renderer renderer(test_gpu(), VK_FORMAT_R8G8B8A8_UNORM);
    return Offscreen(test_gpu(), renderer, static_cast<uint32_t>(size.x), static_cast<uint32_t>(size.y))
        .draw(frame_);
}

void Stage::click(ImVec2 at) {
    screen.input().move(at.x, at.y);
    screen.input().button(0, true);
    screen.input().button(0, false);
    settle();
}

void Stage::drag(ImVec2 from, ImVec2 to) {
    screen.input().move(from.x, from.y);
    screen.input().button(0, true);
    for (int i = 1; i <= 4; ++i) {
        const float t = static_cast<float>(i) / 4;
        screen.input().move(from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * t);
        frame();
        frame();
    }
    screen.input().button(0, false);
    settle();
}

void Stage::hover(ImVec2 at) {
    screen.input().move(at.x, at.y);
    settle();
}

void Stage::press(Key key) {
    screen.input().key(key, true);
    screen.input().key(key, false);
    settle();
}

size_t Stage::calls(const std::string& name) const {
    return static_cast<size_t>(std::count(commands.calls.begin(), commands.calls.end(), name));
}

const Panel& Stage::find_panel(const std::string& id) const {
    for (const Panel& panel : shell.panels())
        if (panel.id == id) return panel;
    throw std::invalid_argument("no panel has the id " + id);
}

std::vector<plot::Rect> Stage::frames() {
    const ShellLayout at = layout();
    std::vector<plot::Rect> frames = {at.toolbar, at.controls, at.cards, at.status};
    if (shell.settings().plan) frames.push_back(plan());
    for (const Panel& panel : shell.panels()) frames.push_back(panel.frame);
    return frames;
}

// Letters are quads whose first corner has the texture coordinates of a glyph.
void Stage::read_glyphs() {
    glyphs_.emplace();
    for (int l = 0; l < frame_.draw_data->CmdListsCount; ++l) {
        const ImDrawList& list = *frame_.draw_data->CmdLists[l];
        for (const ImDrawCmd& command : list.CmdBuffer)
            for (unsigned i = 0; i + 5 < command.ElemCount;) {
                const auto vertex = [&](unsigned k) -> const ImDrawVert& {
                    const ImDrawIdx index = list.IdxBuffer[static_cast<int>(command.IdxOffset + i + k)];
                    return list.VtxBuffer[static_cast<int>(index + command.VtxOffset)];
                };
                const bool letter = letters_.count({vertex(0).uv.x, vertex(0).uv.y}) > 0;
                if (letter)
                    glyphs_->push_back(
                        {{vertex(0).pos, vertex(2).pos},
                         {{command.ClipRect.x, command.ClipRect.y}, {command.ClipRect.z, command.ClipRect.w}},
                         vertex(0).uv,
                         vertex(0).col});
                i += letter ? 6 : 3;
            }
    }
}

const std::vector<Glyph>& Stage::glyphs() {
    if (!glyphs_) read_glyphs();
    return *glyphs_;
}

std::vector<plot::Rect> Stage::find(const std::string& words, const ImFont* font) {
    const std::vector<Glyph>& all = glyphs();
    std::vector<ImVec2> wanted;
    for (const char character : words)
        if (character != ' ') {
            const ImFontGlyph& glyph = *font->FindGlyph(static_cast<unsigned char>(character));
            wanted.push_back({glyph.U0, glyph.V0});
        }
    std::vector<plot::Rect> found;
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

plot::Rect Stage::the(const std::string& words, const ImFont* font) {
    const std::vector<plot::Rect> found = find(words, font);
    if (found.empty()) {
        ADD_FAILURE() << "\"" << words << "\" is not on the screen";
        return {};
    }
    return found.front();
}

ImVec2 center(const plot::Rect& rect) {
    return {(rect.min.x + rect.max.x) / 2, (rect.min.y + rect.max.y) / 2};
}

bool is(const uint8_t* pixel, Color color, int tolerance) {
    for (int channel = 0; channel < 3; ++channel)
        if (std::abs(pixel[channel] - static_cast<int>(color >> 8 * channel & 0xFF)) > tolerance)
            return false;
    return true;
}

size_t count(const Picture& picture, const plot::Rect& area, Color color, int tolerance) {
    size_t result = 0;
    for (auto y = static_cast<uint32_t>(area.min.y); y < static_cast<uint32_t>(area.max.y); ++y)
        for (auto x = static_cast<uint32_t>(area.min.x); x < static_cast<uint32_t>(area.max.x); ++x)
            result += is(picture.pixel(x, y), color, tolerance);
    return result;
}

}  // namespace lab::testing
