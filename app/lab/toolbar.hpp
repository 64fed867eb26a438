// The bar at the top: run, step, reset, presets, how far and how fast, theme.
#pragma once

#include "app/experiment/presets.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// What was clicked.
struct ToolbarClicks {
    bool run = false, step = false, reset = false, theme = false, help = false;
    const Preset* preset = nullptr;
};

/// `frame_ms` is how long the previous frame took to draw.
ToolbarClicks draw_toolbar(const Look& look, const plot::Rect& frame, const Snapshot& snapshot,
                           const Settings& settings, float frame_ms);

}  // namespace lab
