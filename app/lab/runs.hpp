// The present run and those before it, below the controls: to pin and to go back to.
#pragma once

#include <optional>

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// How high the card is; 0: no run is kept, and there is no card.
float runs_height(const Look& look, size_t kept);
/// What was pressed goes to `commands`.
void draw_runs(const Look& look, const plot::Rect& frame, const Snapshot& run, Commands& commands);

}  // namespace lab
