#include "app/lab/tabs/charts.hpp"

#include "app/experiment/words.hpp"

namespace lab {

namespace {

using plot::Point;
using plot::Style;

std::string letter(size_t twin) {
    return {twin_letter(twin)};
}
constexpr uint32_t twin_bit(size_t twin) {
    return 1u << twin;
}
constexpr uint32_t third_entry = 1u << 2, fourth_entry = 1u << 3;

template <class Row>
std::vector<Point> column(const History<Row>& history, float Row::*member) {
    std::vector<Point> points;
    points.reserve(history.size());
    for (const auto& entry : history)
        points.push_back({static_cast<double>(entry.step), static_cast<double>(entry.value.*member)});
    return points;
}

// What was measured last still holds.
template <class Row>
std::vector<Point> held_column(const History<Row>& history, float Row::*member, uint64_t until) {
    std::vector<Point> points = column(history, member);
    if (!points.empty() && points.back().x < static_cast<double>(until))
        points.push_back({static_cast<double>(until), points.back().y});
    return points;
}

std::vector<plot::LegendEntry> twin_legend(const Theme& theme, const Snapshot& s, bool names) {
    std::vector<plot::LegendEntry> legend;
    for (size_t twin = 0; twin < drawn_twins; ++twin)
        legend.push_back({names ? twin_name(s.settings, twin) : letter(twin), theme.twins[twin]});
    return legend;
}

vknorm::Norm inspected_norm(const Snapshot& s, size_t twin) {
    return s.settings.twins[twin].norm_of(s.settings.inspected_layer);
}

std::string unit_title(const Snapshot& s) {
    return "Unit " + std::to_string(s.settings.inspected_unit) + " of hidden " +
           std::to_string(s.settings.inspected_layer + 1);
}

// Why neither twin has running statistics of the inspected layer.
const char* without_running(const Snapshot& s) {
    for (size_t twin = 0; twin < drawn_twins; ++twin)
        if (inspected_norm(s, twin) != vknorm::Norm::none)
            return "No running statistics: every example is\nnormalized by its own, trained or tested";
    return "Neither twin normalizes this layer";
}

// The batch's own value, faint, and the running one, solid, of every twin that keeps one.
Chart statistics_chart(const Theme& theme, const Snapshot& s, const char* title, float UnitRow::*batch,
                       float UnitRow::*running) {
    Chart chart;
    chart.title = title;
    chart.empty = without_running(s);
    const auto keeps = [&](size_t twin) { return vknorm::keeps_running_statistics(inspected_norm(s, twin)); };
    const bool both = keeps(0) && keeps(1);
    for (size_t twin = 0; twin < drawn_twins; ++twin) {
        if (!keeps(twin)) continue;
        chart.empty = "No steps yet";
        const auto entry = static_cast<uint32_t>(chart.legend.size());
        const std::string prefix = both ? letter(twin) + " " : "";
        chart.legend.push_back({prefix + "batch", faded(theme.twins[twin], 0.5f)});
        chart.legend.push_back({prefix + "running", theme.twins[twin]});
        const TwinView& view = s.twins[twin];
        chart.series.push_back({letter(twin) + " batch",
                                theme.twins[twin],
                                Style::noise,
                                1u << entry,
                                1,
                                column(view.unit, batch),
                                {}});
        chart.series.push_back({letter(twin) + " running",
                                theme.twins[twin],
                                Style::line,
                                2u << entry,
                                2.2f,
                                column(view.unit, running),
                                {}});
    }
    return chart;
}

}  // namespace

std::string twin_name(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    if (!its.exceptions.empty()) return letter(twin) + " mixed norms";
    return letter(twin) + " " + (its.norm == vknorm::Norm::none ? "no norm" : name(its.norm));
}

Chart loss_chart(const Theme& theme, const Snapshot& s) {
    Chart chart;
    chart.title = "Training loss";
    chart.can_log = true;
    chart.legend = twin_legend(theme, s, true);
    chart.legend.push_back({"test, eval", theme.muted, true});
    for (const size_t twin : {1, 0})
        chart.series.push_back({letter(twin) + " batch",
                                theme.twins[twin],
                                Style::noise,
                                twin_bit(twin),
                                1,
                                column(s.twins[twin].training, &TrainingRow::loss),
                                {}});
    for (const size_t twin : {0, 1}) {
        const TwinView& view = s.twins[twin];
        chart.series.push_back({letter(twin) + " smoothed",
                                theme.twins[twin],
                                Style::line,
                                twin_bit(twin),
                                2,
                                column(view.training, &TrainingRow::smoothed_loss),
                                {}});
        chart.series.push_back({letter(twin) + " test set, eval mode",
                                theme.twins[twin],
                                Style::dashed_step,
                                twin_bit(twin) | third_entry,
                                1.3f,
                                held_column(view.test, &TestRow::loss, s.step),
                                {}});
    }
    return chart;
}

Chart accuracy_chart(const Theme& theme, const Snapshot& s) {
    Chart chart;
    chart.title = "Test accuracy";
    chart.y_limits = plot::Range{0, 1};
    chart.legend = twin_legend(theme, s, false);
    chart.legend.push_back({"eval mode", theme.muted});
    if (depends_on_batch(s.settings, 0) || depends_on_batch(s.settings, 1))
        chart.legend.push_back({"batch statistics", theme.muted, true});
    for (const size_t twin : {1, 0}) {
        const TwinView& view = s.twins[twin];
        if (depends_on_batch(s.settings, twin))
            chart.series.push_back({letter(twin) + " batch statistics",
                                    theme.twins[twin],
                                    Style::dashed_step,
                                    twin_bit(twin) | fourth_entry,
                                    1.2f,
                                    held_column(view.test, &TestRow::batch_accuracy, s.step),
                                    {}});
        chart.series.push_back({letter(twin) + " eval mode",
                                theme.twins[twin],
                                Style::step,
                                twin_bit(twin) | third_entry,
                                1.8f,
                                held_column(view.test, &TestRow::accuracy, s.step),
                                {}});
    }
    return chart;
}

Chart percentile_chart(const Theme& theme, const Snapshot& s) {
    Chart chart;
    chart.title = unit_title(s) + ": 15, 50, 85 %";
    chart.legend = twin_legend(theme, s, false);
    for (const size_t twin : {1, 0})
        chart.series.push_back({"", theme.twins[twin], Style::band, twin_bit(twin), 1,
                                column(s.twins[twin].unit, &UnitRow::percentile15),
                                column(s.twins[twin].unit, &UnitRow::percentile85)});
    for (const size_t twin : {1, 0})
        chart.series.push_back({letter(twin) + " median",
                                theme.twins[twin],
                                Style::line,
                                twin_bit(twin),
                                1.6f,
                                column(s.twins[twin].unit, &UnitRow::percentile50),
                                {}});
    return chart;
}

Chart mean_chart(const Theme& theme, const Snapshot& s) {
    return statistics_chart(theme, s, "Batch vs running mean", &UnitRow::batch_mean, &UnitRow::running_mean);
}

Chart variance_chart(const Theme& theme, const Snapshot& s) {
    Chart chart = statistics_chart(theme, s, "Batch vs running variance", &UnitRow::batch_variance,
                                   &UnitRow::running_variance);
    chart.can_log = true;
    return chart;
}

Chart gradient_chart(const Theme& theme, const Snapshot& s) {
    Chart chart;
    chart.title = "Gradient norm";
    chart.can_log = true;
    chart.legend = twin_legend(theme, s, true);
    for (const size_t twin : {1, 0})
        chart.series.push_back({letter(twin) + " batch",
                                theme.twins[twin],
                                Style::noise,
                                twin_bit(twin),
                                1,
                                column(s.twins[twin].training, &TrainingRow::gradient_norm),
                                {}});
    for (const size_t twin : {1, 0})
        chart.series.push_back({letter(twin) + " smoothed",
                                theme.twins[twin],
                                Style::line,
                                twin_bit(twin),
                                2,
                                column(s.twins[twin].training, &TrainingRow::smoothed_gradient_norm),
                                {}});
    return chart;
}

}  // namespace lab
