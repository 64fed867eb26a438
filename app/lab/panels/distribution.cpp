#include "app/lab/panels/distribution.hpp"

#include "app/lab/panels/twins.hpp"
#include "app/plot/ridgeline.hpp"

namespace lab {

namespace {

constexpr float cells_of_all = 2;

void draw_distribution(Panel& panel, const PanelFrame& at, size_t twin) {
    const Snapshot& run = at.run;
    const TwinView& view = run.twins[twin];
    std::vector<plot::Ridge> ridges;
    const size_t layer = run.settings.inspected_layer;
    for (const auto& entry : view.distributions)
        if (layer < entry.value.size()) ridges.push_back({entry.step, entry.value[layer].share});
    const Histogram empty;
    plot::Range bins{empty.low, empty.high};
    if (layer < view.layers.size()) {
        const Histogram& latest = view.layers[layer].normalized;
        bins = {latest.low, latest.high};
        // Kept ones may be many steps old; the one in front is always the latest.
        if (!ridges.empty() && ridges.back().step < run.step &&
            latest.share.size() == ridges.back().share.size())
            ridges.push_back({run.step, latest.share});
    }
    const plot::LegendEntry entry = twin_entry(at.look.theme, run.settings, twin);
    const std::string hidden = "hidden " + std::to_string(layer + 1);
    const plot::PanelOptions options{.id = panel.id.c_str(),
                                     .title = panel.cells < 1 ? hidden : "Pre-activations, " + hidden,
                                     .legend = {&entry, 1},
                                     .toggles = false};
    plot::draw_ridgeline(at.look, at.frame, options, bins, ridges, at.look.theme.twins[twin], panel.plot);
}

}  // namespace

Panel distribution_panel(size_t twin, size_t twins) {
    return {.id = "distribution " + letter(twin),
            .cells = cells_of_all / static_cast<float>(twins),
            .draw = [twin](Panel& panel, const PanelFrame& at) { draw_distribution(panel, at, twin); }};
}

}  // namespace lab
