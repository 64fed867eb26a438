// How the device does a training step of one twin: the time of its parts, layer by layer and by what is done,
// and the plan of the inspected layer's norm.
#pragma once

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// `twin` is the one shown; its letters switch.
void draw_plan(const Look& look, const plot::Rect& frame, const Snapshot& snapshot, size_t& twin);

}  // namespace lab
