// Histograms of one tensor over the run: one behind the other, the newest in front, or all on one line.
#pragma once

#include "app/plot/plot.hpp"

namespace lab::plot {

struct Ridge {
    uint64_t step;
    Range bins;                    ///< the shares are those of parts of equal width
    std::span<const float> share;  ///< per bin; none: the steps up to `until` were not measured
    float below = 0, above = 0;    ///< beyond the bins
    uint64_t count = 0;            ///< of values; 0: it is not told
    uint64_t until = 0;
};

struct RidgelineOptions {
    PanelOptions panel;
    Range values;  ///< along the axis, which may be zoomed
    Color color;
    const char* empty = "No steps yet";
    bool overlay = false;              ///< all on one line, older ones fainter
    size_t merged = 1;                 ///< so many bins are shown as one
    std::optional<uint64_t> chosen{};  ///< step whose ridge is outlined
};

/// Heights are shares by width of the bins, in one scale for all ridges; a notch is in what is higher than
/// there is room for. Says of the newest ridge how much of it lies beyond the axis. A mark is a line in front
/// of the first ridge from its step on. Returns the step of a ridge that was clicked.
std::optional<uint64_t> draw_ridgeline(const Look& look, const Rect& frame, const RidgelineOptions& options,
                                       std::span<const Ridge> ridges, PlotState& state, SharedX& steps);

}  // namespace lab::plot
