// The column of controls on the left: everything in Settings.
#pragma once

#include "app/experiment/settings.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

/// Draws into `frame` and edits `settings`; `pictures` tells how many hidden layers' cards there are, see
/// Inspect.
void draw_controls(const Look& look, const plot::Rect& frame, Settings& settings);

/// Keeps the inspected layer and unit within the network.
void keep_inspected_valid(Settings& settings);

}  // namespace lab
