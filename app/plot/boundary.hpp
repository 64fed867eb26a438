// The plane as a classifier sees it, with the points it learns from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <vknorm/data.hpp>

#include "app/plot/panel.hpp"

namespace lab::plot {

/// Class probabilities over a grid of points in the plane.
struct BoundaryView {
    std::string name;                ///< "A", in tables
    uint32_t columns = 0, rows = 0;  ///< grid points, the outermost ones on the edge of the square
    float low = 0, high = 0;         ///< the square covered, in both directions
    uint32_t classes = 0;
    std::vector<std::string> class_names{};  ///< [classes]
    std::span<const float> probability{};    ///< [rows][columns][classes], first row at y = low
    std::string caption{};                   ///< below the square
    bool ended = false;                      ///< the network learns no more: framed and captioned as such
};

/// One square per twin that the legend shows, as large as fit. `points` may be null.
void draw_boundaries(const Look& look, const Rect& frame, const PanelOptions& options,
                     std::span<const BoundaryView> twins, const vknorm::Dataset* points, PanelState& state);

/// The colour of a point with these class probabilities: neutral where the classes are equally likely.
Color class_color(const Theme& theme, std::span<const float> probabilities);

}  // namespace lab::plot
