#include "app/lab/panels/charts.hpp"

#include <algorithm>
#include <iterator>

#include "app/experiment/measured_layers.hpp"
#include "app/lab/explanations.hpp"
#include "app/lab/panels/chart.hpp"
#include "app/lab/panels/ghosts.hpp"

namespace lab {

namespace {

using plot::Points;
using plot::Style;

/// The least and the greatest of what became one entry, one after the other; empty while every step is one.
template <auto member, class Row>
Points extremes(const History<Row>& history) {
    if (history.stride() == 1) return {};
    const auto read = [](const void* keeper, size_t index) {
        const auto& entry = (*static_cast<const History<Row>*>(keeper))[index / 2];
        const Row& row = index % 2 == 0 ? entry.extremes.low : entry.extremes.high;
        return plot::Point{static_cast<double>(entry.step), static_cast<double>(row.*member)};
    };
    return {&history, read, history.size() * 2};
}

/// What was tested last still holds, until the twin diverges; of a Snapshot or a PastRun.
template <auto member, class Run>
Points held_column(const TwinView& twin, const Run& run) {
    const uint64_t until = twin.divergence ? twin.divergence->step : run.step;
    return column<member>(twin.test).held_until(static_cast<double>(until));
}

constexpr size_t ghost_twins = 2;  // so many of an earlier run are drawn: A solid, B dotted

/// Earlier runs, below all that the chart has; `points` gives those of a twin.
template <class MakePoints>
void add_ghosts(Chart& chart, const Theme& theme, std::span<const PastRun* const> ghosts, MakePoints points) {
    std::vector<plot::Series> behind;
    for (const PastRun* const ghost : ghosts) {
        const std::string name = run_name(ghost->number);
        for (size_t twin = 0; twin < std::min(ghost_twins, ghost->twins.size()); ++twin)
            behind.push_back({.name = name + " " + letter(twin),
                              .color = theme.ghost,
                              .style = twin == 0 ? Style::line : Style::dotted,
                              .legend = entry_bit(chart.legend.size()),
                              .width = 1.4f,
                              .points = points(ghost->twins[twin], *ghost)});
        chart.legend.push_back({.label = name, .color = theme.ghost});
    }
    chart.series.insert(chart.series.begin(), std::make_move_iterator(behind.begin()),
                        std::make_move_iterator(behind.end()));
}

vknorm::Norm inspected_norm(const Snapshot& run, size_t twin) {
    return norm_of(run.settings, twin, run.settings.inspected_layer);
}

// Why no twin has running statistics of the inspected layer.
const char* without_running(const Snapshot& run) {
    for (size_t twin = 0; twin < run.twins.size(); ++twin)
        if (inspected_norm(run, twin) != vknorm::Norm::none)
            return "No running statistics: every example is\nnormalized by its own, trained or tested";
    return "No twin normalizes this layer";
}

// The batch's own value, faint, and the running one, solid, of every twin that keeps one. Both have entries
// in the legend; of many twins, the twins and the two kinds have.
template <auto batch, auto running>
Chart statistics_chart(const Theme& theme, const Snapshot& run, const char* title) {
    Chart chart;
    chart.title = title;
    std::vector<size_t> keepers;
    for (size_t twin = 0; twin < run.twins.size(); ++twin)
        if (vknorm::keeps_running_statistics(inspected_norm(run, twin))) keepers.push_back(twin);
    if (keepers.empty()) chart.empty = without_running(run);
    const bool many = keepers.size() > 2;
    const uint32_t batches = entry_bit(keepers.size()), runnings = entry_bit(keepers.size() + 1);
    for (const size_t twin : keepers) {
        const Color color = theme.twins[twin];
        const size_t entry = chart.legend.size();
        if (many) {
            chart.legend.push_back({letter(twin), color});
        } else {
            const std::string prefix = keepers.size() > 1 ? letter(twin) + " " : "";
            chart.legend.push_back({prefix + "batch", faded(color, 0.5f)});
            chart.legend.push_back({prefix + "running", color});
        }
        const History<UnitRow>& unit = run.twins[twin].unit;
        chart.series.push_back({.name = letter(twin) + " batch",
                                .color = color,
                                .style = Style::noise,
                                .legend = many ? entry_bit(entry) | batches : entry_bit(entry),
                                .width = 1,
                                .points = column<batch>(unit),
                                .ink = extremes<batch>(unit)});
        chart.series.push_back({.name = letter(twin) + " running",
                                .color = color,
                                .style = Style::line,
                                .legend = many ? entry_bit(entry) | runnings : entry_bit(entry + 1),
                                .width = 2.2f,
                                .points = column<running>(unit)});
    }
    if (many) {
        chart.legend.push_back({"batch", faded(theme.muted, 0.5f)});
        chart.legend.push_back({"running", theme.muted});
    }
    if (!keepers.empty())
        add_ghosts(chart, theme, ghosts_of_unit(run),
                   [](const TwinView& twin, const PastRun&) { return column<running>(twin.unit); });
    return chart;
}

template <auto raw, auto light, auto strong>
Points smoothed_column(const TwinView& twin, Smoothing smoothing) {
    return smoothing == Smoothing::off     ? column<raw>(twin.training)
           : smoothing == Smoothing::light ? column<light>(twin.training)
                                           : column<strong>(twin.training);
}

// Of each twin the moving average, with what was measured faint behind; or that alone, as a line.
template <auto raw, auto light, auto strong>
void add_smoothed(Chart& chart, const Theme& theme, const Snapshot& run) {
    const Smoothing smoothing = run.settings.smoothing;
    const bool off = smoothing == Smoothing::off;
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = letter(twin) + " batch",
                                .color = theme.twins[twin],
                                .style = off ? Style::line : Style::noise,
                                .legend = entry_bit(twin),
                                .width = off ? 1.4f : 1.0f,
                                .points = column<raw>(view.training),
                                .ink = extremes<raw>(view.training)});
    });
    if (off) return;
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = letter(twin) + " smoothed",
                                .color = theme.twins[twin],
                                .style = Style::line,
                                .legend = entry_bit(twin),
                                .width = 2,
                                .points = smoothed_column<raw, light, strong>(view, smoothing)});
    });
}

Chart loss_chart(const Theme& theme, const Snapshot& run) {
    Chart chart;
    chart.title = "Training loss";
    chart.unit = "nats";
    chart.legend = twin_legend(theme, run);
    const uint32_t test = entry_bit(chart.legend.size());
    chart.legend.push_back({"test, eval", theme.muted, true, "test"});
    add_smoothed<&TrainingRow::loss, &TrainingRow::lightly_smoothed_loss,
                 &TrainingRow::strongly_smoothed_loss>(chart, theme, run);
    for (size_t twin = 0; twin < run.twins.size(); ++twin) {
        const TwinView& view = run.twins[twin];
        chart.series.push_back({.name = letter(twin) + " test set, eval mode",
                                .color = theme.twins[twin],
                                .style = Style::dashed_step,
                                .legend = entry_bit(twin) | test,
                                .width = 1.3f,
                                .points = held_column<&TestRow::loss>(view, run)});
    }
    add_ghosts(chart, theme, ghosts(run), [&](const TwinView& twin, const PastRun&) {
        return smoothed_column<&TrainingRow::loss, &TrainingRow::lightly_smoothed_loss,
                               &TrainingRow::strongly_smoothed_loss>(twin, run.settings.smoothing);
    });
    return chart;
}

Chart accuracy_chart(const Theme& theme, const Snapshot& run) {
    Chart chart;
    chart.title = "Test accuracy";
    chart.unit = "of 1";
    chart.y_limits = plot::Range{0, 1};
    chart.legend = letter_legend(theme, run);
    const uint32_t eval = entry_bit(chart.legend.size()), batch = entry_bit(chart.legend.size() + 1);
    chart.legend.push_back({"eval mode", theme.muted, false, "eval"});
    bool any_batch = false;
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        if (depends_on_batch(run.settings, twin)) {
            any_batch = true;
            chart.series.push_back({.name = letter(twin) + " batch statistics",
                                    .color = theme.twins[twin],
                                    .style = Style::dashed_step,
                                    .legend = entry_bit(twin) | batch,
                                    .width = 1.2f,
                                    .points = held_column<&TestRow::batch_accuracy>(view, run)});
        }
        chart.series.push_back({.name = letter(twin) + " eval mode",
                                .color = theme.twins[twin],
                                .style = Style::step,
                                .legend = entry_bit(twin) | eval,
                                .width = 1.8f,
                                .points = held_column<&TestRow::accuracy>(view, run)});
    });
    if (any_batch) chart.legend.push_back({"batch statistics", theme.muted, true, "batch"});
    add_ghosts(chart, theme, ghosts(run), [](const TwinView& twin, const PastRun& ghost) {
        return held_column<&TestRow::accuracy>(twin, ghost);
    });
    return chart;
}

Chart percentile_chart(const Theme& theme, const Snapshot& run) {
    Chart chart;
    chart.title = unit_name(run.settings) + ": 15, 50, 85 %";
    chart.legend = letter_legend(theme, run);
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = "",
                                .color = theme.twins[twin],
                                .style = Style::band,
                                .legend = entry_bit(twin),
                                .points = column<&UnitRow::percentile15>(view.unit),
                                .upper = column<&UnitRow::percentile85>(view.unit),
                                .edges = {letter(twin) + " 15 %", letter(twin) + " 85 %"}});
    });
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = letter(twin) + " median",
                                .color = theme.twins[twin],
                                .style = Style::line,
                                .legend = entry_bit(twin),
                                .width = 1.6f,
                                .points = column<&UnitRow::percentile50>(view.unit)});
    });
    add_ghosts(chart, theme, ghosts_of_unit(run), [](const TwinView& twin, const PastRun&) {
        return column<&UnitRow::percentile50>(twin.unit);
    });
    return chart;
}

Chart mean_chart(const Theme& theme, const Snapshot& run) {
    return statistics_chart<&UnitRow::batch_mean, &UnitRow::running_mean>(theme, run,
                                                                          "Batch vs running mean");
}

Chart variance_chart(const Theme& theme, const Snapshot& run) {
    return statistics_chart<&UnitRow::batch_variance, &UnitRow::running_variance>(
        theme, run, "Batch vs running variance");
}

Chart gradient_chart(const Theme& theme, const Snapshot& run) {
    Chart chart;
    chart.title = "Gradient norm";
    chart.legend = twin_legend(theme, run);
    add_smoothed<&TrainingRow::gradient_norm, &TrainingRow::lightly_smoothed_gradient_norm,
                 &TrainingRow::strongly_smoothed_gradient_norm>(chart, theme, run);
    add_ghosts(chart, theme, ghosts(run), [&](const TwinView& twin, const PastRun&) {
        return smoothed_column<&TrainingRow::gradient_norm, &TrainingRow::lightly_smoothed_gradient_norm,
                               &TrainingRow::strongly_smoothed_gradient_norm>(twin, run.settings.smoothing);
    });
    return chart;
}

}  // namespace

Panel loss_panel() {
    return chart_panel("loss", explained("Training loss"), loss_chart, true, plot::Scale::log);
}
Panel accuracy_panel() {
    return chart_panel("accuracy", explained("Test accuracy"), accuracy_chart, false, plot::Scale::linear);
}
Panel percentile_panel() {
    return chart_panel("percentiles", explained("Percentiles"), percentile_chart, false, plot::Scale::linear);
}
Panel mean_panel() {
    return chart_panel("mean", explained("Batch vs running mean"), mean_chart, false, plot::Scale::linear);
}
Panel variance_panel() {
    return chart_panel("variance", explained("Batch vs running variance"), variance_chart, true,
                       plot::Scale::linear);
}
Panel gradient_panel() {
    return chart_panel("gradient", explained("Gradient norm"), gradient_chart, true, plot::Scale::log);
}

}  // namespace lab
