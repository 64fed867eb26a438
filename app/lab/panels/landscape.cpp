#include "app/lab/panels/landscape.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "app/lab/explanations.hpp"
#include "app/lab/panels/chart.hpp"

namespace lab {

namespace {

using plot::Style;

Chart titled(const char* title, const Theme& theme, const Snapshot& run) {
    return {.title = title,
            .legend = letter_legend(theme, run),
            .series = {},
            .y_limits = {},
            .empty = "Not looked yet: steps do, every so many"};
}

// "mean: A 0.09, B 0.36"
template <class Value>
std::string means(const Snapshot& run, const char* of, Value value) {
    std::string words;
    for (size_t twin = 0; twin < run.twins.size(); ++twin) {
        double sum = 0;
        size_t count = 0;
        for (const auto& entry : run.twins[twin].landscape)
            if (const auto its = static_cast<double>(value(entry.value)); std::isfinite(its))
                sum += its, ++count;
        if (count == 0) continue;
        words += (words.empty() ? "" : ", ") + letter(twin) + " " +
                 plot::short_number(sum / static_cast<double>(count));
    }
    return std::string(of) + ": " + words;
}

// From the least to the greatest, with both ends in the read-out.
template <auto low, auto high>
Chart band_chart(const char* title, const Theme& theme, const Snapshot& run) {
    Chart chart = titled(title, theme, run);
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = "",
                                .color = theme.twins[twin],
                                .style = Style::band,
                                .legend = entry_bit(twin),
                                .points = column<low>(view.landscape),
                                .upper = column<high>(view.landscape)});
    });
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        for (const bool upper : {true, false})
            chart.series.push_back(
                {.name = letter(twin) + (upper ? " most" : " least"),
                 .color = theme.twins[twin],
                 .style = Style::line,
                 .legend = entry_bit(twin),
                 .width = 1.2f,
                 .points = upper ? column<high>(view.landscape) : column<low>(view.landscape)});
    });
    return chart;
}

Chart loss_chart(const Theme& theme, const Snapshot& run) {
    Chart chart =
        band_chart<&LandscapeRow::loss_low, &LandscapeRow::loss_high>("Loss along the gradient", theme, run);
    chart.footer = {
        means(run, "mean width", [](const LandscapeRow& row) { return row.loss_high - row.loss_low; })};
    return chart;
}

Chart change_chart(const Theme& theme, const Snapshot& run) {
    Chart chart = band_chart<&LandscapeRow::change_low, &LandscapeRow::change_high>("Change of the gradient",
                                                                                    theme, run);
    chart.footer = {
        means(run, "mean of the largest", [](const LandscapeRow& row) { return row.change_high; })};
    return chart;
}

Chart smoothness_chart(const Theme& theme, const Snapshot& run) {
    Chart chart = titled("Effective β-smoothness", theme, run);
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = letter(twin),
                                .color = theme.twins[twin],
                                .legend = entry_bit(twin),
                                .points = column<&LandscapeRow::smoothness>(view.landscape)});
    });
    chart.footer = {means(run, "mean", [](const LandscapeRow& row) { return row.smoothness; })};
    return chart;
}

// Of the latest look: what stands at the end of a step, over its learning rate; `here` is that of no step.
template <auto values, auto here>
plot::Points along(const LookAhead& ahead) {
    if (ahead.rates.empty()) return {};
    const auto read = [](const void* keeper, size_t index) {
        const auto& its = *static_cast<const LookAhead*>(keeper);
        return index == 0 ? plot::Point{0, here(its)}
                          : plot::Point{its.rates[index - 1], (its.*values)[index - 1]};
    };
    return {&ahead, read, ahead.rates.size() + 1};
}

double loss_here(const LookAhead& ahead) {
    return ahead.loss;
}
double no_change(const LookAhead&) {
    return 0;
}

template <auto values, auto here>
Chart ahead_chart(const Theme& theme, const Snapshot& run, const char* title) {
    Chart chart = titled(title, theme, run);
    for_twins_from_last(run, [&](size_t twin, const TwinView& view) {
        chart.series.push_back({.name = letter(twin),
                                .color = theme.twins[twin],
                                .legend = entry_bit(twin),
                                .width = 1.8f,
                                .points = along<values, here>(view.ahead)});
        if (!view.landscape.empty())
            chart.footer = {"after step " +
                            plot::whole_number(static_cast<double>(view.landscape.back().step))};
    });
    return chart;
}

Chart next_loss_chart(const Theme& theme, const Snapshot& run) {
    return ahead_chart<&LookAhead::losses, loss_here>(theme, run, "Loss of the next step");
}

Chart next_gradient_chart(const Theme& theme, const Snapshot& run) {
    return ahead_chart<&LookAhead::changes, no_change>(theme, run, "Gradient of the next step");
}

// Its axis is over learning rates, and its own.
Panel ahead_panel(const char* id, const Explanation& explanation, MakeChart make) {
    return {.id = id,
            .explanation = explanation,
            .cells = 1.5f,
            .can_log = true,
            .draw = [make, rates = plot::SharedX{.name = "rate"}](Panel& its, const PanelFrame& at) mutable {
                double most = 0;
                for (const TwinView& view : at.run.twins)
                    if (!view.ahead.rates.empty()) most = std::max(most, view.ahead.rates.back());
                rates.data = {0, most};
                rates.unit = most / 80;
                rates.marked = std::exchange(rates.next_marked, std::nullopt);
                const Chart chart = make(at.look.theme, at.run);
                plot::draw_plot(at.look, at.frame, options_of(chart, its), chart.series, its.plot, rates);
            }};
}

}  // namespace

std::vector<Panel> landscape_panels(size_t) {
    std::vector<Panel> panels;
    panels.push_back(
        chart_panel("loss range", explained("Loss along the gradient"), loss_chart, true, plot::Scale::log));
    panels.push_back(chart_panel("gradient change", explained("Change of the gradient"), change_chart, true,
                                 plot::Scale::log));
    panels.push_back(chart_panel("smoothness", explained("Effective smoothness"), smoothness_chart, true,
                                 plot::Scale::log));
    panels.push_back(ahead_panel("next loss", explained("Loss of the next step"), next_loss_chart));
    panels.push_back(
        ahead_panel("next gradient", explained("Gradient of the next step"), next_gradient_chart));
    return panels;
}

}  // namespace lab
