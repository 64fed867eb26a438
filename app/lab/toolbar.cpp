#include "app/lab/toolbar.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

#include "app/ui/scale.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

// The preset whose experiment `settings` is; -1: none.
int matching_preset(const Settings& settings) {
    for (size_t i = 0; i < presets().size(); ++i)
        if (same_experiment(settings, presets()[i].settings)) return static_cast<int>(i);
    return -1;
}

/// A muted word and a number after it, which has a fixed width so that nothing jumps while it grows.
struct Figure {
    const char* word;
    std::string number;
    float width;
    int rank;  ///< where there is no room for all, those of the highest rank go first
};

float width_of(const Look& look, const Figure& figure) {
    return plot::text_size(look.fonts.small, figure.word).x + look.px(6 + 12) +
           std::max(look.px(figure.width), plot::text_size(look.fonts.mono, figure.number.c_str()).x);
}

void draw_figures(const Look& look, ImDrawList& list, ImVec2 at, float right, std::vector<Figure> figures) {
    const auto total = [&] {
        float sum = 0;
        for (const Figure& figure : figures) sum += width_of(look, figure);
        return sum;
    };
    while (!figures.empty() && at.x + total() > right)
        figures.erase(std::max_element(figures.begin(), figures.end(),
                                       [](const Figure& a, const Figure& b) { return a.rank < b.rank; }));
    for (const Figure& figure : figures) {
        const ImVec2 word_size = plot::text_size(look.fonts.small, figure.word),
                     number_size = plot::text_size(look.fonts.mono, figure.number.c_str());
        plot::text(list, look.fonts.small, {at.x, at.y - word_size.y / 2}, look.theme.muted, figure.word);
        plot::text(list, look.fonts.mono, {at.x + word_size.x + look.px(6), at.y - number_size.y / 2},
                   look.theme.text, figure.number.c_str());
        at.x += width_of(look, figure);
    }
}

std::string fixed(const char* pattern, double value) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), pattern, value);
    return text.data();
}

}  // namespace

ToolbarClicks draw_toolbar(const Look& look, const plot::Rect& frame, const Snapshot& s,
                           const Settings& settings, float frame_ms) {
    ToolbarClicks clicks;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);

    const float middle = (frame.min.y + frame.max.y) / 2, top = std::round(middle - look.px(tool_height / 2)),
                gap = look.px(7);
    const char* const brand = "vknorm Lab";
    const ImVec2 brand_size = plot::text_size(look.fonts.strong, brand);
    float x = frame.min.x + look.px(14);
    plot::text(list, look.fonts.strong, {x, middle - brand_size.y / 2}, look.theme.text, brand);
    x += brand_size.x + look.px(16);

    const auto button = [&](const char* id, const char* label, Icon icon, bool primary, float least) {
        ImGui::SetCursorScreenPos({std::round(x), top});
        const bool clicked = tool_button(look, id, label, icon, primary, least);
        x = ImGui::GetItemRectMax().x + gap;
        return clicked;
    };
    // As wide for either word, so that nothing jumps.
    const float run_width =
        std::max(tool_button_width(look, "Run", Icon::play), tool_button_width(look, "Pause", Icon::pause));
    clicks.run = s.running ? button("run", "Pause", Icon::pause, true, run_width)
                           : button("run", "Run", Icon::play, true, run_width);
    clicks.step = button("step", "Step", Icon::step, false, 0);
    clicks.reset = button("reset", "Reset", Icon::reset, false, 0);

    std::vector<const char*> names;
    for (const Preset& preset : presets()) names.push_back(preset.name);
    int selected = matching_preset(settings);
    const bool wide = frame.width() > look.px(1400);
    const float preset_width = look.px(wide ? 310 : 200);
    x += gap;
    ImGui::SetCursorScreenPos({std::round(x), std::round(middle - ImGui::GetFrameHeight() / 2)});
    const int before = selected;
    if (choice(look, "##preset", preset_width,
               selected < 0 ? "Own settings" : names[static_cast<size_t>(selected)], names, selected) &&
        selected != before)
        clicks.preset = &presets()[static_cast<size_t>(selected)];
    x += preset_width + look.px(wide ? 18 : 14);

    // From the right edge: what must always be there.
    float right = frame.max.x - look.px(10);
    const auto right_button = [&](const char* id, const char* label, Icon icon) {
        right -= tool_button_width(look, label, icon);
        ImGui::SetCursorScreenPos({std::round(right), top});
        const bool clicked = tool_button(look, id, label, icon, false);
        right -= gap;
        return clicked;
    };
    clicks.help = right_button("help", "?", Icon::none);
    const Theme& next = theme_of(next_theme(look.theme));
    clicks.theme = right_button("theme", next.name,
                                next.dark       ? Icon::moon
                                : next.type > 1 ? Icon::projector
                                                : Icon::sun);
    std::vector<Figure> figures = {{"step", std::to_string(s.step), 48, 0},
                                   {"epoch", fixed("%.1f", s.epoch), 40, 2},
                                   {s.twins.size() > 1 ? "samples/s per twin" : "samples/s",
                                    plot::short_number(std::round(s.samples_per_second)), 40, 1}};
    if (frame_ms > 0) figures.push_back({"drawing", fixed("%.1f ms", static_cast<double>(frame_ms)), 52, 3});
    draw_figures(look, list, {x, middle}, right, std::move(figures));
    return clicks;
}

}  // namespace lab
