// Histograms of one tensor over the run, one behind the other, the newest in front.
#pragma once

#include "app/plot/plot.hpp"

namespace lab::plot {

struct Ridge {
    uint64_t step;
    std::span<const float> share;  ///< per bin
    float below = 0, above = 0;    ///< beyond the bins
};

struct RidgelineOptions {
    PanelOptions panel;
    Range bins;  ///< all ridges have theirs evenly over it
    Color color;
    const char* empty = "No steps yet";
};

/// Says of the newest ridge how much of it lies beyond the bins. A mark is a line in front of the first ridge
/// from its step on.
void draw_ridgeline(const Look& look, const Rect& frame, const RidgelineOptions& options,
                    std::span<const Ridge> ridges, PlotState& state, SharedX& steps);

}  // namespace lab::plot
