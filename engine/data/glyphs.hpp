// Outlines of handwritten digits.
#pragma once

#include <span>
#include <vector>

namespace vknorm::detail {

struct Point {
    double x, y;
};

/// A smooth curve through its points; closed when the last is the first. Two points are a straight line, and
/// a corner is where one stroke ends and the next begins.
using Stroke = std::vector<Point>;

/// One way to write a digit: about 0.6 wide and 1 high, centred on the origin, y downwards.
using Glyph = std::vector<Stroke>;

/// The styles of `digit`, 0 to 9.
std::span<const Glyph> glyphs(unsigned digit);

}  // namespace vknorm::detail
