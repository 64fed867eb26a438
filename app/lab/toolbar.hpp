// The bar at the top: run, step, reset, presets, how far and how fast, tabs, theme.
#pragma once

#include <optional>

#include "app/experiment/presets.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/lab/tab_strip.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// What was clicked.
struct ToolbarClicks {
    bool run = false, step = false, reset = false, theme = false, help = false;
    std::optional<size_t> tab;
    const Preset* preset = nullptr;
};

/// `frame_ms` is how long the previous frame took to draw.
ToolbarClicks draw_toolbar(const Look& look, const plot::Rect& frame, const Snapshot& snapshot,
                           const Settings& settings, float frame_ms, const TabList& tabs, size_t shown_tab);

}  // namespace lab
