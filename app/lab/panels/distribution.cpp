#include "app/lab/panels/distribution.hpp"

#include <algorithm>

#include "app/lab/explanations.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/plot/ridgeline.hpp"

namespace lab {

namespace {

constexpr float cells_of_all = 2;

constexpr size_t most_ridges = 25;

plot::Ridge ridge_of(uint64_t step, const Histogram& histogram) {
    return {.step = step,
            .bins = {histogram.low, histogram.high},
            .share = histogram.share,
            .below = histogram.below,
            .above = histogram.above};
}

/// At most so many of those between the ends of the axis of steps, evenly, the newest always.
std::vector<plot::Ridge> ridges_within(const TwinView& view, size_t layer, const plot::Range& steps) {
    std::vector<plot::Ridge> seen;
    for (const auto& entry : view.distributions) {
        const auto step = static_cast<double>(entry.step);
        if (layer >= entry.value.size() || step < steps.low || step > steps.high) continue;
        const Histogram& histogram = entry.value[layer];
        seen.push_back(ridge_of(entry.step, histogram));
    }
    const size_t every = (seen.size() + most_ridges - 1) / most_ridges;
    std::vector<plot::Ridge> ridges;
    for (size_t i = seen.size(); i > 0; i = i > every ? i - every : 0) ridges.push_back(seen[i - 1]);
    std::reverse(ridges.begin(), ridges.end());
    return ridges;
}

void draw_distribution(Panel& panel, const PanelFrame& at, size_t twin) {
    const Snapshot& run = at.run;
    const TwinView& view = at.then.twins[twin];
    const size_t layer = run.settings.inspected_layer;
    plot::Range steps = at.steps.view.range(at.steps.data, plot::Scale::linear);
    // What came after the step looked at is not drawn: the one in front is of that step.
    if (at.steps.past) steps.high = std::min(steps.high, *at.steps.past);
    std::vector<plot::Ridge> ridges = ridges_within(run.twins[twin], layer, steps);
    Histogram latest;
    if (layer < view.layers.size()) {
        latest = view.layers[layer].normalized;
        // Kept ones may be many steps old; the one in front is the latest, when that is in sight.
        const uint64_t step = view.divergence ? view.divergence->step - 1 : at.then.step;
        const bool in_sight =
            static_cast<double>(step) >= steps.low && static_cast<double>(step) <= steps.high;
        if (in_sight && !ridges.empty() && ridges.back().step < step &&
            latest.share.size() == ridges.back().share.size())
            ridges.push_back(ridge_of(step, latest));
    }
    const plot::LegendEntry entry = twin_entry(at.look.theme, run, twin);
    const std::string name = inspected_name(run.settings);
    plot::draw_ridgeline(at.look, at.frame,
                         {.panel = {.id = panel.id.c_str(),
                                    .title = panel.cells < 1 ? name : "Pre-activations, " + name,
                                    .explanation = panel.explanation,
                                    .legend = {&entry, 1},
                                    .toggles = false},
                          .values = {latest.low, latest.high},
                          .color = at.look.theme.twins[twin],
                          .empty = at.steps.view.fits() ? "No steps yet" : "Nothing measured in these steps"},
                         ridges, panel.plot, at.steps);
}

}  // namespace

Panel distribution_panel(size_t twin, size_t twins) {
    return {.id = "distribution " + letter(twin),
            .explanation = explained("Pre-activations"),
            .cells = cells_of_all / static_cast<float>(twins),
            .draw = [twin](Panel& panel, const PanelFrame& at) { draw_distribution(panel, at, twin); }};
}

}  // namespace lab
