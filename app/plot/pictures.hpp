// Sample pictures of a data set with what the twins take them for.
#pragma once

#include <span>

#include <vknorm/data.hpp>

#include "app/plot/panel.hpp"

namespace lab::plot {

/// The first pictures of `data`; under each the class that each twin predicts, coloured right or wrong.
void draw_pictures(const Look& look, const Rect& frame, const PanelOptions& options,
                   const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
                   PanelState& state);

}  // namespace lab::plot
