// Where decision boundaries are drawn.
#pragma once

#include <cstdint>
#include <vector>

#include <vknorm/data.hpp>

namespace lab {

/// The square of the plane over which decision boundaries are drawn, as network inputs.
struct PlaneGrid {
    uint32_t columns = 0, rows = 0;  ///< 0: the data is not planar
    float low = 0, high = 0;
    std::vector<float> points;  ///< [rows][columns][2]

    /// Covers `data`; empty unless it has two features.
    static PlaneGrid over(const vknorm::Dataset& data);
};

}  // namespace lab
