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

// What the key of that button does, and which it is.
std::string note_of(std::span<const Shortcut> shortcuts, Key key, bool control) {
    const auto found = std::find_if(shortcuts.begin(), shortcuts.end(), [&](const Shortcut& shortcut) {
        return shortcut.key == key && shortcut.control == control;
    });
    return found == shortcuts.end() ? "" : found->meaning + ": " + found->keys;
}

std::string fixed(const char* pattern, double value) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), pattern, value);
    return text.data();
}

}  // namespace

ToolbarClicks draw_toolbar(const Look& look, const ToolbarFrame& toolbar) {
    ToolbarClicks clicks;
    const plot::Rect& frame = toolbar.frame;
    const Snapshot& s = toolbar.run;
    const auto explain = [&](Key key, bool control = false) {
        hint(look, note_of(toolbar.shortcuts, key, control).c_str(), Side::below);
    };
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
    explain(key(' '));
    clicks.step = button("step", "Step", Icon::step, false, 0);
    explain(key('S'));
    clicks.reset = button("reset", "Reset", Icon::reset, false, 0);
    explain(key('R'));
    const std::set<std::string>& concealed = toolbar.settings.concealed;
    if (concealed.count(concealable::experiments) == 0) {
        clicks.experiments = button("experiments", "Experiments", Icon::none, false, 0);
        explain(key('E'));
    }

    const bool wide = frame.width() > look.px(1400);
    const auto drop_down =
        [&](const char* id, float width, const char* preview, std::span<const char* const> names,
            int selected, std::span<const char* const> notes, const char* note) -> std::optional<size_t> {
        ImGui::SetCursorScreenPos({std::round(x), std::round(middle - ImGui::GetFrameHeight() / 2)});
        const bool changed = choice(look, id, look.px(width), preview, names, selected, notes);
        hint(look, note, Side::below);
        x += look.px(width) + gap;
        if (!changed) return {};
        return static_cast<size_t>(selected);
    };
    if (const Field& field = field_named("speed"); !is_concealed(field, toolbar.settings)) {
        std::array<const char*, speed_choices.size()> speeds{}, speed_notes{};
        int speed = 0;
        for (size_t i = 0; i < speed_choices.size(); ++i) {
            speeds[i] = speed_choices[i].name;
            speed_notes[i] = speed_choices[i].note;
            if (speed_choices[i].value == toolbar.settings.speed) speed = static_cast<int>(i);
        }
        if (const auto chosen = drop_down("##speed", 86, speeds[static_cast<size_t>(speed)], speeds, speed,
                                          speed_notes, note_of(field).c_str()))
            clicks.speed = speed_choices[*chosen].value;
    }

    if (concealed.count(concealable::presets) == 0) {
        std::vector<const char*> names;
        for (const Preset& preset : presets()) names.push_back(preset.name);
        const int selected = matching_preset(toolbar.settings);
        const char* const preset = selected < 0 ? "Own settings" : names[static_cast<size_t>(selected)];
        if (const auto chosen = drop_down("##preset", wide ? 280 : 160, preset, names, selected, {},
                                          "Settings to begin with: data, networks and how they are trained"))
            clicks.preset = &presets()[*chosen];
    }
    x += look.px(wide ? 11 : 7);

    // From the right edge: what must always be there.
    float right = frame.max.x - look.px(10);
    const auto right_button = [&](const char* id, const char* label, Icon icon, Key key, bool control) {
        right -= tool_button_width(look, label, icon);
        ImGui::SetCursorScreenPos({std::round(right), top});
        const bool clicked = tool_button(look, id, label, icon, false);
        explain(key, control);
        right -= gap;
        return clicked;
    };
    clicks.help = right_button("help", "?", Icon::none, key('?'), false);
    const Theme& next = theme_of(next_theme(look.theme));
    clicks.theme = right_button("theme", next.name,
                                next.dark       ? Icon::moon
                                : next.type > 1 ? Icon::projector
                                                : Icon::sun,
                                key('D'), false);
    if (wide) clicks.palette = right_button("palette", "Find...", Icon::none, key('P'), true);

    std::vector<Figure> figures = {{"step", std::to_string(s.step), 48, 0},
                                   {"epoch", fixed("%.1f", s.epoch), 40, 2},
                                   {s.twins.size() > 1 ? "samples/s per twin" : "samples/s",
                                    plot::short_number(std::round(s.samples_per_second)), 40, 1}};
    if (&toolbar.then != &s)
        figures.insert(figures.begin() + 1, {"shown", std::to_string(toolbar.then.step), 48, 0});
    if (toolbar.frame_ms > 0)
        figures.push_back({"drawing", fixed("%.1f ms", static_cast<double>(toolbar.frame_ms)), 52, 3});
    draw_figures(look, list, {x, middle}, right, std::move(figures));
    return clicks;
}

}  // namespace lab
