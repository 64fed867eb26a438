// The names of the tabs side by side, the one shown raised.
#pragma once

#include <optional>

#include "app/lab/tab.hpp"

namespace lab {

float tab_strip_width(const Look& look, const TabList& tabs);
/// From `at` on, its upper left corner; returns which tab was clicked.
std::optional<size_t> draw_tab_strip(const Look& look, ImVec2 at, const TabList& tabs, size_t shown);

}  // namespace lab
