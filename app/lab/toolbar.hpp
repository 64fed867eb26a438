// The bar at the top: run, step, reset, speed, presets, how far and how fast, theme.
#pragma once

#include <optional>
#include <span>

#include "app/experiment/presets.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/lab/shortcut.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// What was clicked.
struct ToolbarClicks {
    bool run = false, step = false, reset = false, theme = false, help = false, palette = false,
         experiments = false;
    std::optional<Speed> speed;
    const Preset* preset = nullptr;
};

struct ToolbarFrame {
    plot::Rect frame;
    const Snapshot& run;
    const Snapshot& then;  ///< as it was at the step looked at
    const Settings& settings;
    std::span<const Shortcut> shortcuts;  ///< what buttons say of themselves
    float frame_ms;                       ///< how long the previous frame took to draw
};

ToolbarClicks draw_toolbar(const Look& look, const ToolbarFrame& toolbar);

}  // namespace lab
