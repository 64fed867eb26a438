// One line below the plots: what their flags stand for.
#pragma once

#include <optional>

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

inline constexpr float event_strip_height = 22;

/// The latest events for which there is room. Returns the step of one that was pressed.
std::optional<uint64_t> draw_event_strip(const Look& look, const plot::Rect& frame, const Snapshot& run);

}  // namespace lab
