// From thousands of points to at most one mark per pixel column, without losing a peak.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "app/ui/scale.hpp"

namespace lab::plot {

/// Points of a series increase in x; a y that is not finite leaves a gap.
struct Point {
    double x, y;
};

/// Where values lie on the screen: x grows to the right, y upward (that is, towards smaller pixel rows).
struct Mapping {
    Range x, y;
    Scale y_scale = Scale::linear;
    float left = 0, top = 0, width = 1, height = 1;  ///< pixels

    float to_x(double value) const;
    /// Values far outside are brought near, so that no coordinate is infinite.
    float to_y(double value) const;
    double from_x(float pixel) const { return from_unit(x, Scale::linear, (pixel - left) / width); }
    double from_y(float pixel) const { return from_unit(y, y_scale, 1 - (pixel - top) / height); }
};

/// What one column of pixels shows of a series, in pixels.
struct Column {
    float x;            ///< its left edge
    float top, bottom;  ///< extent of its points, and of the line that leads here from the previous column
    float mean;
    bool begins;  ///< nothing leads here: the first column, or one after a gap
};

/// The points with x inside `range`, and one more on either side.
std::span<const Point> visible(std::span<const Point> points, const Range& range);
/// Whether so many points deserve columns rather than a line from point to point.
bool dense(std::span<const Point> visible_points, const Mapping& mapping);
/// One entry for every column, `pitch` pixels wide, that has a finite point.
std::vector<Column> columns(std::span<const Point> visible_points, const Mapping& mapping, float pitch);
/// The point nearest to `x` that has a finite y; null when there is none.
const Point* nearest(std::span<const Point> points, double x);

}  // namespace lab::plot
