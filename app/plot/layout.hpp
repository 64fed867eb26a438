// Where the rows of a ridgeline, and the tiles of a grid, go.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lab::plot {

/// Rows from the oldest at the top to the newest at the bottom. A row's curve rises from its baseline and may
/// cover the rows above.
struct RidgeLayout {
    float pitch = 0;      ///< from one baseline to the next
    float amplitude = 0;  ///< height of a curve at the full scale
    float first = 0;      ///< baseline of row 0

    float baseline(size_t row) const { return first + pitch * static_cast<float>(row); }
};
/// The top row's curve ends at `top`, the last baseline is `bottom`.
RidgeLayout ridge_layout(size_t rows, float top, float bottom);

/// The highest share of a row, which has some, unless one or two spikes would flatten what else there is: the
/// units that a ReLU silences, say.
float usual_peak(std::span<const float> row);
/// The share that reaches the full amplitude: the highest peak, unless that is a spike that would flatten the
/// rest.
float ridge_scale(std::span<const std::span<const float>> rows);

/// Columns and tile width of a grid of `count` tiles, each `extra` taller than wide, as large as fits.
struct GridLayout {
    size_t columns = 1;
    float tile = 0;
};
GridLayout grid_layout(size_t count, float width, float height, float gap, float extra);

}  // namespace lab::plot
