// Sample pictures of a data set with what the twins take them for.
#pragma once

#include <span>
#include <string>

#include <vknorm/data.hpp>

#include "app/plot/panel.hpp"

namespace lab::plot {

/// The first pictures of `data`; under each the class that each twin predicts, coloured right or wrong.
void draw_pictures(const Look& look, const Rect& frame, const PanelOptions& options,
                   const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
                   PanelState& state);

/// What one twin makes of the pictures.
struct MapsView {
    uint32_t pictures = 0, height = 0, width = 0;
    std::span<const float> values;  ///< [pictures][height][width]
    Color color, words;             ///< of positive values, and of name and caption
    std::string name, caption;      ///< "A", and what is told of it where there is room
};

/// The first pictures with guesses as above, and below each the twins' maps of it, all of a twin on one
/// scale.
void draw_feature_maps(const Look& look, const Rect& frame, const PanelOptions& options,
                       const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
                       std::span<const MapsView> rows, PanelState& state);

}  // namespace lab::plot
