// One line below the plots: what their flags stand for.
#pragma once

#include <optional>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/plot/marks.hpp"

namespace lab {

/// The events of a run as marks of its plots: none beyond the latest step.
std::vector<plot::Mark> marks_of(const Snapshot& run);

inline constexpr float event_strip_height = 22;

/// The latest events for which there is room. Returns the step of one that was pressed.
std::optional<uint64_t> draw_event_strip(const Look& look, const plot::Rect& frame, const Snapshot& run);

}  // namespace lab
