// From a Snapshot to what the plots draw: series, legends, titles. Knows the model and the plots, lays
// nothing out.
#pragma once

#include "app/experiment/snapshot.hpp"
#include "app/plot/plot.hpp"

namespace lab {

/// One plot's content over steps.
struct Chart {
    std::string title;
    std::vector<plot::LegendEntry> legend;
    std::vector<plot::Series> series;
    std::optional<plot::Range> y_limits;
    const char* empty = "No steps yet";
    bool can_log = false;
};

Chart loss_chart(const Theme& theme, const Snapshot& snapshot);
Chart accuracy_chart(const Theme& theme, const Snapshot& snapshot);
Chart percentile_chart(const Theme& theme, const Snapshot& snapshot);
Chart mean_chart(const Theme& theme, const Snapshot& snapshot);
Chart variance_chart(const Theme& theme, const Snapshot& snapshot);
Chart gradient_chart(const Theme& theme, const Snapshot& snapshot);

/// "A  BatchNorm"
std::string twin_name(const Settings& settings, size_t twin);

}  // namespace lab
