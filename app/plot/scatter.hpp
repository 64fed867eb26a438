// Points in a plane, one for each row.
#pragma once

#include <span>
#include <string>

#include "app/plot/plot.hpp"
#include "app/plot/rows.hpp"

namespace lab::plot {

struct ScatterOptions {
    PanelOptions panel;
    std::string x_name, y_name, row_name;
    Color color;
    bool equals = false;  ///< both axes have one range, and the line where x is y is drawn
    const char* empty = "No steps yet";
};

/// What the user did to one.
struct ScatterState {
    PlotState plot;  ///< its values are upward
    AxisView across;
};

/// Row i is `points[i]`; those that are not finite are not drawn. Obeys pointer and keyboard.
void draw_scatter(const Look& look, const Rect& frame, const ScatterOptions& options,
                  std::span<const Point> points, ScatterState& state, SharedRow& row);

}  // namespace lab::plot
