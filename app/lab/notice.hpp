// Why there is nothing to see where something could be.
#pragma once

#include <string>
#include <vector>

#include "app/ui/ink.hpp"

namespace lab {

/// A card that says so in its middle, the first line strong.
void draw_notice(const Look& look, const plot::Rect& area, const std::vector<std::string>& lines);

}  // namespace lab
