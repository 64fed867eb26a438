// The plane as a classifier sees it, with the points it learns from.
#pragma once

#include <span>

#include "app/experiment/snapshot.hpp"
#include "app/plot/panel.hpp"

namespace lab::plot {

struct BoundaryView {
    const Boundary& boundary;
    std::string caption;  ///< below it
};

/// One square per twin that the legend shows, as large as fit. `points` may be null.
void draw_boundaries(const Look& look, const Rect& frame, const PanelOptions& options,
                     std::span<const BoundaryView> twins, const vknorm::Dataset* points, PanelState& state);

/// The colour of a point with these class probabilities: neutral where the classes are equally likely.
Color class_color(const Theme& theme, std::span<const float> probabilities);

}  // namespace lab::plot
