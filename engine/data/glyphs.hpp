// Handwritten digits have these outlines.
#pragma once

#include <span>
#include <vector>

namespace vknorm::detail {

struct Point {
    double x, y;
};

/// A stroke is a smooth curve through its points, closed when the last is the first. Two points are a
/// straight line, and a corner is where one stroke ends and the next begins.
using Stroke = std::vector<Point>;

/// A glyph is one way to write a digit: it is about 0.6 wide and 1 high, centred on the origin, y downwards.
using Glyph = std::vector<Stroke>;

/// Returns the styles of `digit`, 0 to 9.
std::span<const Glyph> glyphs(unsigned digit);

}  // namespace vknorm::detail
