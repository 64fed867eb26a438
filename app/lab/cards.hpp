// The network as a strip: one card per measured layer with the distribution of what its activation receives.
#pragma once

#include <optional>

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// An example of the latest batch that is followed through the layers, and the unit looked at.
struct FollowedExample {
    size_t twin;
    uint32_t row, unit;
};

/// A click on a card makes its layer the inspected one; a right click offers norms for one of a perceptron.
/// Returns whether the layer is to be put under the microscope, by a click on the mark in its card's corner.
/// Of `followed` each card shows what all units gave, and the one looked at.
bool draw_cards(const Look& look, const plot::Rect& frame, const Snapshot& snapshot, Settings& settings,
                const std::optional<FollowedExample>& followed);

}  // namespace lab
