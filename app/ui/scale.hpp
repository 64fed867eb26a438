// Where a value lies along an axis, and which values are worth a tick.
#pragma once

#include <string>
#include <vector>

namespace lab::plot {

enum class Scale { linear, log };

struct Range {
    double low = 0, high = 1;

    double length() const { return high - low; }
    bool operator==(const Range&) const = default;
};

struct Tick {
    double value;
    std::string label;
};

/// Position of `value` along the axis: 0 at low, 1 at high; may lie outside. On a log axis values that are
/// not positive are infinitely far below.
double to_unit(const Range& range, Scale scale, double value);
double from_unit(const Range& range, Scale scale, double unit);

/// A range that an axis can show: finite, wide enough for distinct ticks, positive on a log axis.
Range sane(Range range, Scale scale);

/// 3 to 9 increasing values inside the (sane) range, near `wanted` in number, with distinct labels.
std::vector<Tick> ticks(const Range& range, Scale scale, int wanted);

/// The values 2, 3, ..., 9 times a power of ten inside a log range of 1 to 6 decades; else none.
std::vector<double> minor_ticks(const Range& range);

/// `value` in few characters: four significant digits, "12.5k", "3.2e-05".
std::string short_number(double value);
/// All its digits, of a step.
std::string whole_number(double value);

}  // namespace lab::plot
