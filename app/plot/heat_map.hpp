// Values over training steps, a line for each row, told by colour: with axes, the scale of the colours, zoom,
// drag, read-out.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "app/plot/color_scale.hpp"
#include "app/plot/plot.hpp"
#include "app/plot/rows.hpp"

namespace lab::plot {

/// What was measured of a row at a step, and the least and the greatest of that step and those after it which
/// became one.
struct HeatCell {
    float value;  ///< NaN: not measured
    float low, high;
    uint32_t steps = 1;
};

struct HeatMap {
    std::span<const double> steps;  ///< increasing, of the columns
    size_t rows = 0;
    std::function<HeatCell(size_t column, size_t row)> cell;
};

struct HeatMapOptions {
    PanelOptions panel;
    ColorScale colors = ColorScale::sequential;
    double middle = 0;   ///< of diverging colours
    bool whole = false;  ///< colours reach from the least to the greatest value; or else from 1 to 99 %
    std::string value_name, row_name;  ///< "gamma", "unit", in the read-out
    size_t most_cells = 4000;          ///< drawn: of more steps, some are left out
    const char* empty = "No steps yet";
};

/// Draws the map into `frame` of the current window and obeys pointer and keyboard. Where rows are more than
/// there is room for, each line shows the most extreme of several.
void draw_heat_map(const Look& look, const Rect& frame, const HeatMapOptions& options, const HeatMap& map,
                   PlotState& state, SharedX& steps, SharedRow& row);

}  // namespace lab::plot
