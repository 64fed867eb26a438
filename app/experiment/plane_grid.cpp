#include "app/experiment/plane_grid.hpp"

#include <algorithm>
#include <cmath>

namespace lab {

namespace {

constexpr uint32_t grid_points = 64;  // in each direction

}  // namespace

PlaneGrid PlaneGrid::over(const vknorm::Dataset& data) {
    PlaneGrid grid;
    if (data.features != 2) return grid;
    float reach = 0;
    for (const float value : data.inputs) reach = std::max(reach, std::abs(value));
    grid.columns = grid.rows = grid_points;
    grid.high = std::max(1.2f, reach * 1.05f);
    grid.low = -grid.high;
    const auto coordinate = [&](uint32_t i) {
        return grid.low +
               (grid.high - grid.low) * static_cast<float>(i) / static_cast<float>(grid_points - 1);
    };
    for (uint32_t row = 0; row < grid.rows; ++row)
        for (uint32_t column = 0; column < grid.columns; ++column) {
            grid.points.push_back(coordinate(column));
            grid.points.push_back(coordinate(row));
        }
    return grid;
}

}  // namespace lab
