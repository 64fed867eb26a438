// What panels call the twins.
#pragma once

#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/plot/panel.hpp"

namespace lab {

/// "A"
std::string letter(size_t twin);
/// "A BatchNorm"
std::string twin_name(const Settings& settings, size_t twin);
/// Of the inspected layer: "hidden 2"
std::string inspected_name(const Settings& settings);
/// "Unit 3 of hidden 2", "Channel 3 of layer1.0.conv1"
std::string unit_name(const Settings& settings);
/// An entry with the twin's name, and its letter where room is short; crossed out when it has diverged.
plot::LegendEntry twin_entry(const Theme& theme, const Snapshot& run, size_t twin);
/// Such an entry for every twin, in their order.
std::vector<plot::LegendEntry> twin_legend(const Theme& theme, const Snapshot& run);

/// Segments, one for each of so many twins.
bool choose_twin(const Look& look, size_t twins, size_t& chosen);

}  // namespace lab
