#include "app/lab/panels/chart.hpp"

namespace lab {

plot::PlotOptions options_of(const Chart& chart, const Panel& panel) {
    return {.panel = {.id = panel.id.c_str(),
                      .title = chart.title,
                      .explanation = panel.explanation,
                      .legend = chart.legend,
                      .can_log = panel.can_log,
                      .footer = chart.footer},
            .y_limits = chart.y_limits,
            .empty = chart.empty,
            .unit = chart.unit};
}

Panel chart_panel(const char* id, const Explanation& explanation, MakeChart make, bool can_log,
                  plot::Scale scale) {
    Panel panel{.id = id,
                .explanation = explanation,
                .can_log = can_log,
                .draw = [make](Panel& its, const PanelFrame& at) {
                    const Chart chart = make(at.look.theme, at.run);
                    plot::draw_plot(at.look, at.frame, options_of(chart, its), chart.series, its.plot,
                                    at.steps);
                }};
    panel.plot.panel.scale = scale;
    return panel;
}

std::vector<plot::LegendEntry> letter_legend(const Theme& theme, const Snapshot& run) {
    std::vector<plot::LegendEntry> legend = twin_legend(theme, run);
    for (plot::LegendEntry& entry : legend) entry.label = entry.brief;
    return legend;
}

}  // namespace lab
