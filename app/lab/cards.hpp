// The network as a strip: one card per measured layer with the distribution of what its activation receives.
#pragma once

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// A click on a card makes its layer the inspected one; a right click offers norms for one of a perceptron.
/// Returns whether the layer is to be put under the microscope, by a click on the mark in its card's corner.
bool draw_cards(const Look& look, const plot::Rect& frame, const Snapshot& snapshot, Settings& settings);

}  // namespace lab
