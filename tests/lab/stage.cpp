#include "lab/stage.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <iostream>

#include "app/lab/event_strip.hpp"

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

}  // namespace

void select_test_gpu(const std::string& name) {
    selected = name;
}

vknorm::DeviceOptions test_device() {
    return {.select = selected, .validation = true, .on_validation_message = on_message};
}

Gpu& test_gpu() {
    if (!gpu)
        gpu = std::make_unique<Gpu>(
            vknorm::Device({.select = selected}).info(),
            GpuOptions{.validation = true, .on_validation_message = on_message, .window_extensions = {}});
    return *gpu;
}

bool destroy_test_gpu() {
    gpu.reset();
    return !spoke_outside_of_tests;
}

Stage::Stage(const Settings& settings, uint64_t steps, ImVec2 screen_size, std::span<const MakeTab> tabs,
             float scale)
    : size(screen_size),
      commands(synthetic_run(settings, steps)),
      screen(scale, least_window),
      shell(commands, tabs) {
    frame();
    frame();
}

void Stage::frame() {
    screen.begin(size, 1.0f / 30);
    const Requests now = shell.draw(screen, 12.3f);
    requests.screenshot |= now.screenshot;
    requests.export_run |= now.export_run;
    if (now.plot) requests.plot = now.plot;
    requests.introduced |= now.introduced;
    requests.close |= now.close;
    requests.redraw = now.redraw;
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

Picture Stage::ground() {
    constexpr Color transparent = 0x00FFFFFF;
    const auto corners = [&](const Glyph& glyph) {
        return &frame_.draw_data->CmdLists[glyph.list]->VtxBuffer[static_cast<int>(glyph.vertex)];
    };
    for (const Glyph& glyph : glyphs())
        for (int i = 0; i < 4; ++i) corners(glyph)[i].col &= transparent;
    Picture result = picture();
    for (const Glyph& glyph : glyphs())
        for (int i = 0; i < 4; ++i) corners(glyph)[i].col = glyph.color;
    return result;
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
    std::vector<plot::Rect> frames = {at.toolbar, at.tabs, at.controls, at.cards,
                                      at.status,  at.runs, at.time};
    if (!commands.snapshot()->events.empty())
        frames.push_back({{at.tab.min.x, at.tab.max.y - screen.look().px(event_strip_height)}, at.tab.max});
    if (shell.settings().plan) frames.push_back(plan());
    const auto& panels = shell.panels();
    const bool none = std::none_of(panels.begin(), panels.end(),
                                   [](const Panel& panel) { return panel.frame.width() > 0; });
    if (shell.settings().microscope || none) frames.push_back(at.tab);  // a tab of another kind
    for (const Panel& panel : shell.panels()) frames.push_back(panel.frame);
    return frames;
}

const std::vector<Glyph>& Stage::glyphs() {
    if (!glyphs_) glyphs_ = text_.read(*frame_.draw_data);
    return *glyphs_;
}

std::vector<plot::Rect> Stage::find(const std::string& words, const ImFont* font) {
    return find_words(glyphs(), words, font);
}

plot::Rect Stage::the(const std::string& words, const ImFont* font) {
    const std::vector<plot::Rect> found = find(words, font);
    if (found.empty()) {
        ADD_FAILURE() << "\"" << words << "\" is not on the screen";
        return {};
    }
    return found.front();
}

void Stage::open(MakeTab tab) {
    press(digit_of(tab));
    hover({2, 2});
}

size_t Stage::seen(const std::string& words) {
    const Fonts& fonts = screen.look().fonts;
    return find(words, fonts.small).size() + find(words, fonts.strong).size();
}

Key digit_of(MakeTab tab) {
    const auto at = std::find(std::begin(all_tabs), std::end(all_tabs), tab) - std::begin(all_tabs);
    return static_cast<Key>('1' + at);
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
