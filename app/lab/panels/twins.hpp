// What panels call the twins.
#pragma once

#include <string>
#include <vector>

#include "app/experiment/settings.hpp"
#include "app/plot/panel.hpp"

namespace lab {

/// "A"
std::string letter(size_t twin);
/// "A BatchNorm"
std::string twin_name(const Settings& settings, size_t twin);
/// An entry with the twin's name, and its letter where room is short.
plot::LegendEntry twin_entry(const Theme& theme, const Settings& settings, size_t twin);
/// Such an entry for every twin, in their order.
std::vector<plot::LegendEntry> twin_legend(const Theme& theme, const Settings& settings);

}  // namespace lab
