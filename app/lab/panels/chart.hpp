// What charts over steps are made of: from a Snapshot to the series of a plot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/lab/panel.hpp"
#include "app/lab/panels/twins.hpp"

namespace lab {

struct Chart {
    std::string title;
    std::vector<plot::LegendEntry> legend;
    std::vector<plot::Series> series;
    std::optional<plot::Range> y_limits;
    const char* empty = "No steps yet";
    std::vector<std::string> footer{};  ///< lines below the plot
    const char* unit = "";              ///< of the values
};

using MakeChart = Chart (*)(const Theme& theme, const Snapshot& run);

/// `scale` is that of its values at first; with `can_log` the user may choose.
Panel chart_panel(const char* id, const Explanation& explanation, MakeChart make, bool can_log,
                  plot::Scale scale);

/// Its plot; chart and panel must outlive what is returned.
plot::PlotOptions options_of(const Chart& chart, const Panel& panel);

constexpr uint32_t entry_bit(size_t entry) {
    return 1u << entry;
}

/// `member` of a history's rows.
template <auto member, class Row>
plot::Points column(const History<Row>& history) {
    const auto read = [](const void* keeper, size_t index) {
        const auto& entry = (*static_cast<const History<Row>*>(keeper))[index];
        return plot::Point{static_cast<double>(entry.step), static_cast<double>(entry.value.*member)};
    };
    return {&history, read, history.size()};
}

/// Twins by their letters.
std::vector<plot::LegendEntry> letter_legend(const Theme& theme, const Snapshot& run);

/// Calls `add` with every twin, the first one last, so that it lies on top.
template <class Add>
void for_twins_from_last(const Snapshot& run, Add add) {
    for (size_t twin = run.twins.size(); twin-- > 0;) add(twin, run.twins[twin]);
}

}  // namespace lab
