// Histograms of one tensor over the run, one behind the other, the newest in front.
#pragma once

#include "app/plot/plot.hpp"

namespace lab::plot {

struct Ridge {
    uint64_t step;
    std::span<const float> share;  ///< per bin
};

/// All ridges have their bins evenly over `bins`.
void draw_ridgeline(const Look& look, const Rect& frame, const PanelOptions& options, const Range& bins,
                    std::span<const Ridge> ridges, Color color, PlotState& state);

}  // namespace lab::plot
