// The bar of the ten steps: one is looked at, a click goes to another, and they play one after the other.
#include <cmath>

#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

struct StepWords {
    const char* name;
    const char* note;
};
constexpr std::array<StepWords, lens_steps> step_words = {{
    {"z", "What arrives from the layer below"},
    {"\u2212 \u03BC", "Minus the mean of the set: it is centred on 0"},
    {"\u00F7 \u221A(\u03C3\u00B2 + \u03B5)", "Divided by the standard deviation: it is as wide everywhere"},
    {"\u00D7 \u03B3 + \u03B2", "Scale and shift that the layer learns"},
    {"activation", "What the next layer gets"},
    {"dy", "Back: how much the loss grows with each output"},
    {"d\u03B2", "Gradient of the shift: the sum of dy"},
    {"d\u03B3", "Gradient of the scale: the sum of dy times x^"},
    {"d^x", "Each one's own push: gamma times dy"},
    {"dx", "Minus the common push, minus the push along x^: no gradient moves the mean or the width"},
}};

/// Returns whether it was pressed.
bool chip(const Look& look, ImDrawList& list, const plot::Rect& frame, const char* id, bool lit,
          bool& hovered) {
    ImGui::SetCursorScreenPos(frame.min);
    const bool pressed = press_area(look, id, {frame.width(), frame.height()});
    hovered = ImGui::IsItemHovered();
    const Color fill = lit ? look.theme.accent : hovered ? look.theme.control_hovered : look.theme.control;
    list.AddRectFilled(frame.min, frame.max, fill, look.px(6));
    if (!lit && !look.theme.dark) list.AddRect(frame.min, frame.max, look.theme.control_border, look.px(6));
    return pressed;
}

void draw_key(const Look& look, ImDrawList& list, float& x, float middle, const char* words) {
    const ImVec2 size = plot::text_size(look.fonts.small, words);
    const ImVec2 min{x, middle - look.px(9)}, max{x + size.x + look.px(10), middle + look.px(9)};
    list.AddRect(min, max, look.theme.control_border, look.px(4));
    plot::text(list, look.fonts.small, {x + look.px(5), middle - size.y / 2}, look.theme.muted, words);
    x = max.x + look.px(8);
}

}  // namespace

void draw_steps(const Look& look, const plot::Rect& frame, Stepper& stepper) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    const float middle = (frame.min.y + frame.max.y) / 2, half = look.px(12), gap = look.px(5);
    const bool narrow = frame.width() < look.px(1150);
    float x = frame.min.x + look.px(8);
    bool hovered = false;

    const plot::Rect play{{x, middle - half}, {x + look.px(28), middle + half}};
    if (chip(look, list, play, "play", false, hovered)) stepper.play_or_pause();
    hint(look, "Plays the steps one after the other. Space", Side::below);
    const ImVec2 c{(play.min.x + play.max.x) / 2, middle};
    const float r = look.px(5);
    if (stepper.playing()) {
        list.AddRectFilled({c.x - r * 0.8f, c.y - r}, {c.x - r * 0.2f, c.y + r}, look.theme.text, 1);
        list.AddRectFilled({c.x + r * 0.25f, c.y - r}, {c.x + r * 0.85f, c.y + r}, look.theme.text, 1);
    } else {
        list.AddTriangleFilled({c.x - r * 0.7f, c.y - r}, {c.x + r, c.y}, {c.x - r * 0.7f, c.y + r},
                               look.theme.text);
    }
    x = play.max.x + look.px(6);
    if (!narrow) draw_key(look, list, x, middle, "space");
    draw_key(look, list, x, middle, "\u2190");
    for (size_t step = 0; step < lens_steps; ++step) {
        if (step == lens_forward_steps) {
            x += look.px(narrow ? 2 : 8);
            const char* const back = "back";
            const ImVec2 size = plot::text_size(look.fonts.small, back);
            plot::text(list, look.fonts.small, {x, middle - size.y / 2}, look.theme.muted, back);
            x += size.x + look.px(8);
        }
        const bool lit = stepper.step() == step;
        const std::string number = std::to_string(step + 1), words = step_words[step].name;
        const float number_width = plot::text_size(look.fonts.mono, number.c_str()).x,
                    padding = look.px(narrow ? 6 : 9);
        const ImVec2 size = symbols_size(look.fonts.strong, words);
        const float width = 2 * padding + number_width + look.px(6) + size.x;
        const plot::Rect area{{x, middle - half}, {x + width, middle + half}};
        if (chip(look, list, area, number.c_str(), lit, hovered)) stepper.go_to(step);
        hint(look, step_words[step].note, Side::below);
        const ImVec2 number_size = plot::text_size(look.fonts.mono, number.c_str());
        plot::text(list, look.fonts.mono, {x + padding, middle - number_size.y / 2},
                   lit ? look.theme.on_accent : look.theme.muted, number.c_str());
        draw_symbols(look, list, look.fonts.strong,
                     {x + padding + number_width + look.px(6), middle - size.y / 2},
                     lit ? look.theme.on_accent : look.theme.text, words);
        x += width + gap;
    }
    draw_key(look, list, x, middle, "\u2192");
    const char* const advice = "hover a dot or a bar to follow it";
    const ImVec2 size = plot::text_size(look.fonts.small, advice);
    const float left = frame.max.x - look.px(12) - size.x;
    if (left > x + look.px(8))
        plot::text(list, look.fonts.small, {left, middle - size.y / 2}, look.theme.muted, advice);
}

}  // namespace lab
