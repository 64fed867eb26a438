// Sample pictures of a data set with what the twins take them for.
#pragma once

#include <array>

#include "app/experiment/snapshot.hpp"
#include "app/plot/panel.hpp"

namespace lab::plot {

/// The first pictures of `data`; under each the class that twin A and twin B predict, coloured right or
/// wrong.
void draw_pictures(const Look& look, const Rect& frame, const PanelOptions& options,
                   const vknorm::Dataset& data,
                   const std::array<std::span<const uint32_t>, drawn_twins>& predicted, PanelState& state);

}  // namespace lab::plot
