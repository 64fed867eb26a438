#include "app/lab/tabs/live.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/lab/cards.hpp"
#include "app/lab/controls.hpp"
#include "app/lab/help.hpp"
#include "app/lab/norm_choice.hpp"
#include "app/lab/tabs/plan.hpp"
#include "app/lab/toolbar.hpp"
#include "app/plot/boundary.hpp"
#include "app/plot/pictures.hpp"

namespace lab {

LiveLayout lay_out(const Look& look, ImVec2 size) {
    LiveLayout layout;
    const float gap = look.px(8), left = gap, right = size.x - gap;
    const float controls_width = look.px(size.x < look.px(1400) ? 236 : 268);
    layout.toolbar = {{left, gap}, {right, gap + look.px(44)}};
    layout.status = {{left, size.y - look.px(30)}, {right, size.y - look.px(4)}};
    const float top = layout.toolbar.max.y + gap, bottom = layout.status.min.y - look.px(4);
    layout.controls = {{left, top}, {left + controls_width, bottom}};
    const float area_left = layout.controls.max.x + gap;
    const float cards_height = look.px(size.y < look.px(900) ? 72 : 84);
    layout.cards = {{area_left, top}, {right, top + cards_height}};
    const float plots_top = layout.cards.max.y + gap;
    const float width = (right - area_left - 2 * gap) / 3, height = (bottom - plots_top - 2 * gap) / 3;
    for (size_t i = 0; i < layout.panels.size(); ++i) {
        const size_t row = i / 3, column = i % 3;
        const float x = area_left + static_cast<float>(column) * (width + gap);
        const float y = plots_top + static_cast<float>(row) * (height + gap);
        layout.panels[i] = {{std::round(x), std::round(y)}, {std::round(x + width), std::round(y + height)}};
    }
    layout.plan = {layout.panels[2].min, layout.panels[8].max};
    return layout;
}

Live::Live(Commands& commands)
    : commands_(commands), settings_(commands.snapshot()->settings), applied_(settings_) {
    plots_[0].panel.scale = plots_[8].panel.scale = plot::Scale::log;
}

void Live::announce(std::string note) {
    note_ = std::move(note);
    note_until_ = ImGui::GetTime() + 6;
}

plot::PanelState& Live::panel_state(size_t panel) {
    if (panel == ridgeline_panel || panel == ridgeline_panel + 1)
        return ridgelines_[panel - ridgeline_panel].panel;
    return plots_[panel].panel;
}

void Live::take_preset(const Settings& preset) {
    const Settings before = settings_;
    settings_ = preset;
    settings_.data_file = before.data_file;
    settings_.steps_per_frame = before.steps_per_frame;
    settings_.plan = before.plan;
    for (plot::PlotState& plot : plots_) plot.y.fit();
    steps_.view.fit();
    apply_settings();
    commands_.reset();
}

// What begins a new run waits until the mouse is released, so that a drag does not begin a hundred.
void Live::apply_settings() {
    if (settings_ == applied_) return;
    if (begins_new_run(applied_, settings_) && ImGui::IsMouseDown(ImGuiMouseButton_Left)) return;
    keep_norms_valid(settings_);
    commands_.apply(settings_);
    applied_ = settings_;
}

void Live::obey_keys(Screen& screen, const Snapshot& snapshot, Requests& requests) {
    const ImGuiIO& io = ImGui::GetIO();
    if (!io.WantTextInput && std::find(io.InputQueueCharacters.begin(), io.InputQueueCharacters.end(),
                                       ImWchar{'?'}) != io.InputQueueCharacters.end())
        help_ = !help_;
    if (pressed(Key::escape)) {
        const auto full = [&](size_t panel) { return panel_state(panel).full; };
        if (help_) {
            help_ = false;
        } else {
            for (size_t panel = 0; panel < plots_.size(); ++panel)
                if (full(panel)) panel_state(panel).full = false;
        }
    }
    if (help_) return;
    if (pressed(key(' '))) snapshot.running ? commands_.pause() : commands_.run();
    if (pressed(key('S'))) commands_.step();
    if (pressed(key('R'))) commands_.reset();
    if (pressed(key('T')))
        settings_.statistics = settings_.statistics == vknorm::Statistics::batch ? vknorm::Statistics::running
                                                                                 : vknorm::Statistics::batch;
    if (pressed(key('F'))) {
        const bool learns = settings_.update_running || settings_.train_affine;
        settings_.update_running = settings_.train_affine = !learns;
    }
    if (pressed(key('B'))) {
        TwinSettings& twin = settings_.twins[0];
        const auto current = std::find(norms().begin(), norms().end(), twin.norm);
        twin.norm = current + 1 == norms().end() ? norms().front() : current[1];
        twin.exceptions.clear();
    }
    if (pressed(key('L'))) {
        const bool can_log = hovered_panel_ == 0 || hovered_panel_ == 7 || hovered_panel_ == 8;
        plot::Scale& scale = plots_[hovered_panel_].panel.scale;
        if (can_log) scale = scale == plot::Scale::log ? plot::Scale::linear : plot::Scale::log;
    }
    if (pressed(key('P'))) settings_.plan = !settings_.plan;
    if (pressed(key('D'))) screen.set_theme(screen.look().theme.dark ? light_theme() : dark_theme());
    if (pressed(Key::f11)) panel_state(hovered_panel_).full = !panel_state(hovered_panel_).full;
    requests.screenshot = pressed(Key::f12);
    requests.export_run = pressed_with_control(key('E'));
    requests.close = pressed_with_control(key('Q'));
}

namespace {
std::string accuracy_caption(const TwinView& twin) {
    if (twin.test.empty()) return "";
    std::array<char, 32> text;
    const double accuracy = twin.test.back().value.accuracy;
    std::snprintf(text.data(), text.size(), "test accuracy %.1f %%", accuracy * 100);
    return text.data();
}
}  // namespace

void Live::draw_data_panel(const Look& look, const plot::Rect& frame, const Snapshot& s) {
    const std::array<plot::LegendEntry, drawn_twins> legend = {
        {{twin_name(s.settings, 0), look.theme.twins[0]}, {twin_name(s.settings, 1), look.theme.twins[1]}}};
    plot::PanelOptions options{.id = "data", .title = "Decision boundary", .legend = legend};
    plot::PanelState& state = plots_[boundary_panel].panel;
    if (s.test && s.test->image_width > 0) {
        options.title = "Test pictures";
        plot::draw_pictures(look, frame, options, *s.test, {s.twins[0].predicted, s.twins[1].predicted},
                            state);
    } else {
        const auto view = [&](size_t twin) {
            return plot::BoundaryView{s.twins[twin].boundary, accuracy_caption(s.twins[twin])};
        };
        plot::draw_boundaries(look, frame, options, {view(0), view(1)}, s.train.get(), state);
    }
}

void Live::draw_distribution(const Look& look, size_t twin, const plot::Rect& frame, const Snapshot& s) {
    const TwinView& view = s.twins[twin];
    std::vector<plot::Ridge> ridges;
    const size_t layer = s.settings.inspected_layer;
    for (const auto& entry : view.distributions)
        if (layer < entry.value.size()) ridges.push_back({entry.step, entry.value[layer].share});
    plot::Range bins{-4, 4};
    if (layer < view.layers.size()) {
        const Histogram& latest = view.layers[layer].normalized;
        bins = {latest.low, latest.high};
        // Kept ones may be many steps old; the one in front is always the latest.
        if (!ridges.empty() && ridges.back().step < s.step &&
            latest.share.size() == ridges.back().share.size())
            ridges.push_back({s.step, latest.share});
    }
    const plot::LegendEntry name{twin_name(s.settings, twin), look.theme.twins[twin]};
    const plot::PanelOptions options{.id = twin == 0 ? "distribution A" : "distribution B",
                                     .title = "Pre-activations, hidden " + std::to_string(layer + 1),
                                     .legend = {&name, 1},
                                     .toggles = false};
    plot::draw_ridgeline(look, frame, options, bins, ridges, look.theme.twins[twin], ridgelines_[twin]);
}

void Live::draw_panel(const Look& look, size_t panel, const plot::Rect& frame, const Snapshot& s) {
    if (frame.contains(ImGui::GetMousePos())) hovered_panel_ = panel;
    if (panel == boundary_panel) return draw_data_panel(look, frame, s);
    if (panel == ridgeline_panel || panel == ridgeline_panel + 1)
        return draw_distribution(look, panel - ridgeline_panel, frame, s);
    static constexpr std::array<Chart (*)(const Theme&, const Snapshot&), 9> makers = {
        loss_chart,       accuracy_chart, nullptr,        nullptr,       nullptr,
        percentile_chart, mean_chart,     variance_chart, gradient_chart};
    static constexpr std::array<const char*, 9> ids = {"loss",        "accuracy", "",         "",        "",
                                                       "percentiles", "mean",     "variance", "gradient"};
    const Chart chart = makers[panel](look.theme, s);
    const plot::PlotOptions options{
        .panel = {.id = ids[panel], .title = chart.title, .legend = chart.legend, .can_log = chart.can_log},
        .y_limits = chart.y_limits,
        .empty = chart.empty};
    plot::draw_plot(look, frame, options, chart.series, plots_[panel], steps_);
}

void Live::draw_plots(const Look& look, const LiveLayout& layout, const Snapshot& s) {
    steps_.data = {1, std::max(2.0, static_cast<double>(s.step))};
    steps_.marked = steps_.next_marked;
    steps_.next_marked.reset();
    for (size_t panel = 0; panel < layout.panels.size(); ++panel) {
        if (!panel_state(panel).full) continue;
        draw_panel(look, panel, {layout.panels.front().min, layout.panels[settings_.plan ? 7 : 8].max}, s);
        return;
    }
    for (size_t panel = 0; panel < layout.panels.size(); ++panel)
        if (!settings_.plan || panel % 3 != 2) draw_panel(look, panel, layout.panels[panel], s);
}

void Live::draw_status(const Look& look, const plot::Rect& frame, const Snapshot& s) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = (frame.min.y + frame.max.y) / 2;
    Color mark = s.running ? look.theme.good : look.theme.faint;
    std::string words = s.running ? "Training" : s.step == 0 ? "Ready. Space runs." : "Paused";
    if (!s.message.empty()) {
        words = s.message;
        mark = s.severity == Severity::error     ? look.theme.bad
               : s.severity == Severity::warning ? look.theme.warning
                                                 : look.theme.grip;
    } else if (ImGui::GetTime() < note_until_) {
        words = note_;
        mark = look.theme.grip;
    }
    std::string facts = "seed " + std::to_string(s.settings.seed);
    if (s.parameters > 0)
        facts += "  \xC2\xB7  " + plot::short_number(static_cast<double>(s.parameters)) + " parameters each";
    if (!s.device.empty()) facts += "  \xC2\xB7  " + s.device;
    const ImVec2 facts_size = plot::text_size(look.fonts.small, facts.c_str());
    const float facts_left = frame.max.x - look.px(8) - facts_size.x;
    plot::text(list, look.fonts.small, {facts_left, middle - facts_size.y / 2}, look.theme.muted,
               facts.c_str());

    plot::disc(list, look.fonts, {frame.min.x + look.px(14), middle}, look.px(4.5f), mark);
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    list.PushClipRect(frame.min, {facts_left - look.px(16), frame.max.y}, true);
    plot::text(list, look.fonts.small, {frame.min.x + look.px(26), middle - size.y / 2},
               s.message.empty() ? look.theme.muted : look.theme.text, words.c_str());
    list.PopClipRect();
}

Requests Live::draw(Screen& screen, float frame_ms) {
    Requests requests;
    const std::shared_ptr<const Snapshot> snapshot = commands_.snapshot();
    obey_keys(screen, *snapshot, requests);
    const Look look = screen.look();
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    const LiveLayout layout = lay_out(look, size);

    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::Begin("live", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse);
    const ToolbarClicks clicks = draw_toolbar(look, layout.toolbar, *snapshot, settings_, frame_ms);
    if (clicks.run) snapshot->running ? commands_.pause() : commands_.run();
    if (clicks.step) commands_.step();
    if (clicks.reset) commands_.reset();
    if (clicks.help) help_ = true;
    if (clicks.plan) settings_.plan = !settings_.plan;
    if (clicks.theme) screen.set_theme(look.theme.dark ? light_theme() : dark_theme());
    if (clicks.preset) take_preset(clicks.preset->settings);

    draw_controls(look, layout.controls, settings_);
    draw_cards(look, layout.cards, *snapshot, settings_);
    draw_plots(look, layout, *snapshot);
    if (settings_.plan) draw_plan(look, layout.plan, *snapshot, planned_twin_);
    draw_status(look, layout.status, *snapshot);
    ImGui::End();
    if (help_) draw_help(look, size, help_);

    keep_inspected_valid(settings_);
    apply_settings();
    return requests;
}

}  // namespace lab
