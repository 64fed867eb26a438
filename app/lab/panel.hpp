// A panel: one card of the grid of plots.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/plot/plot.hpp"

namespace lab {

/// What a panel draws from.
struct PanelFrame {
    const Look& look;
    plot::Rect frame;
    const Snapshot& run;   ///< as it is now: curves
    const Snapshot& then;  ///< as it was at the step looked at; `run` unless that is an earlier one
    plot::SharedX& steps;  ///< the axis over steps that all panels share
};

struct Panel {
    std::string id;  ///< among all panels
    const Explanation& explanation;
    float cells = 1;       ///< its width in the grid
    bool can_log = false;  ///< its values can have a logarithmic axis
    std::function<void(Panel&, const PanelFrame&)> draw;
    plot::PlotState plot{};  ///< what the user did to it
    plot::Rect frame{};      ///< where it lies in the latest frame; empty: nowhere
};

/// Those of the Lab in reading order, for runs with so many twins.
std::vector<Panel> all_panels(size_t twins);

}  // namespace lab
