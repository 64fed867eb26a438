// The tab of the distributions of the inspected layer's tensors: a row of plots for each twin, a column for
// each tensor. They are measured while it is shown.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/experiment/measured_layers.hpp"
#include "app/lab/cells.hpp"
#include "app/lab/distributions/trace.hpp"
#include "app/lab/explanations.hpp"
#include "app/lab/notice.hpp"
#include "app/lab/number_card.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/lab/statistics/channels.hpp"
#include "app/lab/tabs.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

struct Column {
    LayerTensor tensor;
    const char* title;
    const Explanation& explanation;
};
constexpr std::array<Column, layer_tensor_count> columns = {
    {{LayerTensor::before_norm, "z", explained("Before the norm")},
     {LayerTensor::normalized, "x\xCC\x82", explained("Normalized")},
     {LayerTensor::after_norm, "y", explained("After gamma and beta")},
     {LayerTensor::activated, "Activation", explained("Activation")},
     {LayerTensor::gradient, "dL/dz", explained("Gradient of z")}}};

constexpr std::array<size_t, 3> bin_choices = {32, 64, 128};
constexpr size_t measured_bins = 128;
constexpr double newest_steps = 200;
// Of all ridges together: what a frame has time for.
constexpr size_t most_points = 11'000, most_ridges = 25, fewest_ridges = 5;
constexpr float least_pitch = 5, note_height = 20;  // between ridges; of the line below all plots

enum class Way { offset, overlay, bands };

/// A plot: of a twin, and of one of `columns`.
struct Cell {
    size_t twin = 0, column = 0;
    bool operator==(const Cell&) const = default;
};

class Distributions final : public Tab {
  public:
    const char* name() const override { return "Distributions"; }
    const char* note() const override {
        return "How the tensors of the inspected layer are distributed, before and behind its norm";
    }
    bool turns_back() const override { return true; }
    void draw(const TabFrame& frame) override;
    void draw_controls(const TabFrame& frame) override;
    std::vector<Shortcut> shortcuts(PanelGrid& panels) override;
    bool step_back() override;
    bool Settings::*measured() const override { return &Settings::distributions; }

  private:
    struct Scene {
        const TabFrame& frame;
        plot::SharedX& steps;
        std::vector<DistributionTrace> twins;
        plot::Range shown;  ///< steps
        size_t panels;      ///< drawn in this frame
    };
    void follow(const Snapshot& run, plot::SharedX& steps);
    void draw_cell(const Scene& scene, Cell cell, const plot::Rect& frame);
    void draw_ridges(const Scene& scene, Cell cell, const plot::Rect& frame, const plot::PanelOptions& panel,
                     const plot::Range& values);
    void draw_bands(const Scene& scene, Cell cell, const plot::Rect& frame, const plot::PanelOptions& panel,
                    const plot::Range& values);
    void draw_unmeasured(const Scene& scene, const plot::Rect& line) const;
    void draw_numbers(const TabFrame& frame) const;
    plot::Range values(const Scene& scene, Cell cell) const;
    plot::PlotState& state(Cell cell) { return plots_[cell.twin][cell.column]; }

    Way way_ = Way::offset;
    size_t bins_ = 1;                      // of bin_choices
    bool same_axis_ = false;               // for all twins
    bool follows_ = false;                 // the newest steps
    std::optional<plot::Range> followed_;  // those, in the latest frame
    uint64_t run_ = 0;                     // whose all this is
    uint32_t layer_ = 0;
    std::optional<double> marked_;    // step, by pointer or keyboard
    std::optional<uint64_t> chosen_;  // step, by a click; none: the newest
    Cell looked_at_;
    std::optional<Cell> hovered_;
    std::array<std::array<plot::PlotState, columns.size()>, limits::max_twins> plots_;
};

bool Distributions::step_back() {
    bool any = false;
    for (auto& row : plots_)
        for (plot::PlotState& plot : row) any |= std::exchange(plot.panel.full, false);
    return std::exchange(chosen_, std::nullopt).has_value() || any;
}

std::vector<Shortcut> Distributions::shortcuts(PanelGrid&) {
    return {full_plot_shortcut([this] { return hovered_ ? &state(*hovered_).panel : nullptr; })};
}

// As long as nobody zooms, the newest steps stay in sight.
void Distributions::follow(const Snapshot& run, plot::SharedX& steps) {
    const bool other_run = std::exchange(run_, run.run) != run.run,
               other_layer =
                   std::exchange(layer_, run.settings.inspected_layer) != run.settings.inspected_layer;
    if (other_run || other_layer) {  // other values
        chosen_.reset();
        for (auto& row : plots_)
            for (plot::PlotState& plot : row) plot.values.fit();
    }
    if (!follows_) return;
    const auto stays = [&](const plot::Range& followed) {
        return !steps.view.fits() && steps.view.range({}, plot::Scale::linear) == followed;
    };
    if (followed_ && !other_run && !stays(*followed_)) {
        follows_ = false;
        return;
    }
    followed_ = {std::max(steps.data.high - newest_steps, 1.0), steps.data.high};
    steps.view.set(*followed_);
}

plot::Range Distributions::values(const Scene& scene, Cell cell) const {
    const LayerTensor tensor = columns[cell.column].tensor;
    plot::Range range = scene.twins[cell.twin].values(tensor, scene.shown);
    for (const DistributionTrace& other : scene.twins) {
        if (!same_axis_ || !other.has(tensor)) continue;
        const plot::Range its = other.values(tensor, scene.shown);
        range = {std::min(range.low, its.low), std::max(range.high, its.high)};
    }
    return plot::fitted(range, plot::Scale::linear);
}

void Distributions::draw_ridges(const Scene& scene, Cell cell, const plot::Rect& frame,
                                const plot::PanelOptions& panel, const plot::Range& values) {
    const Look& look = scene.frame.look;
    std::optional<uint64_t> past;
    if (scene.frame.looks_back()) past = scene.frame.then.step;
    const size_t by_points = most_points / scene.panels / (bin_choices[bins_] * 2 / 3);
    const auto by_height = static_cast<size_t>(std::max(frame.height() / look.px(least_pitch), 1.0f));
    const size_t most = std::clamp(std::min(by_points, by_height), fewest_ridges, most_ridges);
    const auto clicked =
        plot::draw_ridgeline(look, frame,
                             {.panel = panel,
                              .values = values,
                              .color = look.theme.twins[cell.twin],
                              .empty = "Nothing measured in these steps",
                              .overlay = way_ == Way::overlay,
                              .merged = measured_bins / bin_choices[bins_],
                              .chosen = chosen_ ? chosen_ : past},
                             scene.twins[cell.twin].ridges(columns[cell.column].tensor, scene.shown, most),
                             state(cell), scene.steps);
    if (clicked) chosen_ = chosen_ == clicked ? std::nullopt : clicked;
}

void Distributions::draw_bands(const Scene& scene, Cell cell, const plot::Rect& frame,
                               const plot::PanelOptions& panel, const plot::Range& values) {
    const Look& look = scene.frame.look;
    const DistributionTrace& trace = scene.twins[cell.twin];
    const Color color = look.theme.twins[cell.twin];
    std::array<std::vector<plot::Point>, told_percents.size()> curves;
    for (size_t i = 0; i < curves.size(); ++i) curves[i] = trace.percentile(columns[cell.column].tensor, i);
    std::vector<plot::Series> series;
    for (const size_t outer : {0u, 1u})
        series.push_back({.name = "",
                          .color = color,
                          .style = plot::Style::band,
                          .points = curves[outer],
                          .upper = curves[curves.size() - 1 - outer]});
    for (size_t i = curves.size(); i-- > 0;)
        series.push_back({.name = std::to_string(told_percents[i]) + " %",
                          .color = i == 2 ? color : faded(color, 0.6f),
                          .width = i == 2 ? 1.8f : 1.0f,
                          .points = curves[i]});
    plot::PlotOptions options{.panel = panel, .y_limits = {}, .empty = "Nothing measured in these steps"};
    if (same_axis_) options.y_shows = values;
    options.unmeasured = trace.unmeasured();
    plot::draw_plot(look, frame, options, series, state(cell), scene.steps);
}

void Distributions::draw_cell(const Scene& scene, Cell cell, const plot::Rect& frame) {
    const Look& look = scene.frame.look;
    const Snapshot& run = scene.frame.run;
    const Column& column = columns[cell.column];
    plot::LegendEntry entry = twin_entry(look.theme, run, cell.twin);
    if (scene.panels > 1) entry.label = entry.brief;
    const std::string id = "tensor " + std::to_string(cell.column) + lab::letter(cell.twin);
    const plot::PanelOptions panel{.id = id.c_str(),
                                   .title = column.title,
                                   .explanation = column.explanation,
                                   .legend = {&entry, 1},
                                   .toggles = false};
    plot::PlotState& its = state(cell);
    const DistributionTrace& trace = scene.twins[cell.twin];
    if (!trace.has(column.tensor)) {
        const plot::PanelArea area = plot::begin_panel(look, frame, panel, its.panel);
        const bool normed =
            norm_of(run.settings, cell.twin, run.settings.inspected_layer) != vknorm::Norm::none;
        const std::string why = trace.empty() ? "No steps yet"
                                : normed      ? lab::letter(cell.twin) + ": no activation\nbehind this layer"
                                              : lab::letter(cell.twin) + " has no norm here";
        plot::empty_note(look, area.content, why.c_str());
    } else if (way_ == Way::bands) {
        draw_bands(scene, cell, frame, panel, values(scene, cell));
    } else {
        draw_ridges(scene, cell, frame, panel, values(scene, cell));
    }
    if (frame.contains(ImGui::GetMousePos()) || its.has_keyboard) hovered_ = cell;
}

void Distributions::draw_unmeasured(const Scene& scene, const plot::Rect& line) const {
    const Look& look = scene.frame.look;
    std::vector<plot::Range> seen;
    double steps = 0;
    for (const plot::Range& stretch : scene.twins[0].unmeasured()) {
        if (stretch.low > scene.shown.high || stretch.high < scene.shown.low) continue;
        seen.push_back(stretch);
        steps += stretch.length() + 1;
    }
    if (seen.empty()) return;
    const std::string which =
        seen.size() > 1
            ? std::to_string(seen.size()) + " stretches, " + plot::whole_number(steps) + " steps in all, were"
        : seen[0].length() > 0
            ? "steps " + plot::whole_number(seen[0].low) + " to " + plot::whole_number(seen[0].high) + " were"
            : "step " + plot::whole_number(seen[0].low) + " was";
    const float middle = (line.min.y + line.max.y) / 2, width = look.px(26);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::hatch(look, list, {{line.min.x, middle - look.px(6)}, {line.min.x + width, middle + look.px(6)}});
    const std::string words = plot::fitted(
        look.fonts.small, which + " not measured: this tab was not shown, or another layer was inspected",
        line.width() - width - look.px(8));
    plot::text(list, look.fonts.small,
               {line.min.x + width + look.px(8), middle - look.fonts.small->FontSize / 2}, look.theme.muted,
               words.c_str());
}

void Distributions::draw(const TabFrame& frame) {
    const Look& look = frame.look;
    const Snapshot& run = frame.run;
    plot::SharedX& steps = frame.panels.steps();
    follow(run, steps);
    marked_ = steps.marked;
    hovered_.reset();
    Scene scene{frame,
                steps,
                {},
                steps.view.range(steps.data, plot::Scale::linear),
                run.twins.size() * columns.size()};
    for (size_t twin = 0; twin < run.twins.size(); ++twin) scene.twins.emplace_back(run, twin);
    if (std::all_of(scene.twins.begin(), scene.twins.end(),
                    [](const DistributionTrace& twin) { return twin.empty(); }))
        return draw_notice(look, frame.area,
                           {"Nothing measured yet",
                            "The tensors of " + inspected_name(run.settings) +
                                " are measured while this tab is shown: S makes a step, Space runs."});

    plot::Rect area = frame.area;
    const bool gaps = std::any_of(scene.twins.begin(), scene.twins.end(),
                                  [](const DistributionTrace& twin) { return !twin.unmeasured().empty(); });
    if (gaps) {
        area.max.y -= look.px(note_height);
        draw_unmeasured(scene, {{area.min.x, area.max.y}, frame.area.max});
    }
    for (size_t twin = 0; twin < run.twins.size(); ++twin)
        for (size_t column = 0; column < columns.size(); ++column)
            if (const Cell cell{twin, column}; state(cell).panel.full) {
                scene.panels = 1;
                draw_cell(scene, cell, area);
                if (hovered_) looked_at_ = *hovered_;
                return;
            }
    const Cells cells(look, area, columns.size(), run.twins.size());
    for (size_t twin = 0; twin < run.twins.size(); ++twin)
        for (size_t column = 0; column < columns.size(); ++column)
            draw_cell(scene, {twin, column}, cells.rect(static_cast<float>(column), twin));
    if (hovered_) looked_at_ = *hovered_;
}

void Distributions::draw_numbers(const TabFrame& frame) const {
    const Snapshot& run = frame.run;
    const size_t twin = std::min(looked_at_.twin, run.twins.size() - 1);
    const Column& column = columns[looked_at_.column];
    const DistributionTrace trace(run, twin);
    if (!trace.has(column.tensor)) return;
    const auto chosen = static_cast<double>(chosen_.value_or(frame.then.step));
    const size_t index = trace.index_at(marked_.value_or(chosen));
    const Distribution& seen = trace.at(index, column.tensor);
    const std::string step = "step " + plot::whole_number(static_cast<double>(trace.step(index)));
    NumberCard card(frame.look, std::string(column.title) + " of " + lab::letter(twin), step.c_str(),
                    seen.non_finite > 0 ? 7 : 6, marked_.has_value());
    card.row("μ, σ", decimals(seen.mean), decimals(seen.deviation));
    card.row("min, max", decimals(seen.minimum), decimals(seen.maximum));
    card.row("5, 95 %", decimals(seen.percentiles[0]), decimals(seen.percentiles[4]));
    card.row("15, 85 %", decimals(seen.percentiles[1]), decimals(seen.percentiles[3]));
    card.row("50 %", decimals(seen.percentiles[2]));
    card.row("values", std::to_string(seen.count));
    if (seen.non_finite > 0) card.row("no numbers", std::to_string(seen.non_finite));
    card.end();
}

void Distributions::draw_controls(const TabFrame& frame) {
    const Look& look = frame.look;
    if (!section(look, "Distributions", 0)) return;
    ImGui::PushID("distributions");
    static constexpr std::array<const char*, 3> ways = {"Offset", "Overlay", "Bands"};
    int way = static_cast<int>(way_);
    if (segments(look, "way", ways, way)) way_ = static_cast<Way>(way);
    hint(look,
         "Offset: a ridge for each moment, one behind the other. Overlay: all on one line, older ones "
         "fainter. Bands: percentiles 5, 15, 50, 85 and 95 over the steps.");
    if (way_ != Way::bands) {
        caption(look, "Bins");
        static constexpr std::array<const char*, 3> names = {"32", "64", "128"};
        int bins = static_cast<int>(bins_);
        if (segments(look, "bins", names, bins)) bins_ = static_cast<size_t>(bins);
        hint(look, "128 are measured, over a range that follows the data; fewer are those, added up");
    }
    caption(look, "Steps");
    static constexpr std::array<const char*, 2> windows = {"All", "Newest 200"};
    const bool all = !frame.panels.zoomed_to();
    int window = follows_ ? 1 : all ? 0 : -1;
    if (segments(look, "steps", windows, window)) {
        follows_ = window == 1;
        followed_.reset();  // whatever was zoomed to
        if (!follows_) frame.panels.fit();
    }
    hint(look,
         "Which steps are shown. A zoom in any plot over steps, in any tab, chooses others; over the "
         "steps beside ridges, and with shift, the wheel zooms them, too.");
    if (frame.run.twins.size() > 1) {
        caption(look, "Axes of values");
        static constexpr std::array<const char*, 2> axes = {"Each its own", "Same"};
        int axis = same_axis_ ? 1 : 0;
        if (segments(look, "axes", axes, axis)) same_axis_ = axis == 1;
        hint(look, "Whether the twins' plots of a tensor have one axis, to compare widths");
    }
    draw_numbers(frame);
    ImGui::PopID();
}

}  // namespace

std::unique_ptr<Tab> distributions_tab() {
    return std::make_unique<Distributions>();
}

}  // namespace lab
