// Colours of values, told apart by colour-blind people, too.
#pragma once

#include "app/ui/theme.hpp"

namespace lab::plot {

enum class ColorScale {
    sequential,  ///< viridis, from dark to bright
    diverging,   ///< violet below the middle, yellow above, and the ground's own tone in it
};

inline constexpr int color_levels = 256;
/// `level` from 0 to color_levels - 1.
Color scale_color(const Theme& theme, ColorScale scale, int level);

}  // namespace lab::plot
