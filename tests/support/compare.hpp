// How far results are from what was expected, counted in what they may be off.
#pragma once

#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace vknorm::testing {

struct Expected {
    std::vector<double> values;
    std::vector<double> bounds;  ///< how far off each value may be
};
/// What a call should give, by the tensors' names.
using Expectations = std::map<std::string, Expected>;

struct Deviation {
    double ratio = 0;  ///< the largest error / bound
    size_t at = 0;     ///< the element that has it
    /// The largest error in units of the last place of float32, among elements that must be right to 100 of
    /// them: what cancels to nearly nothing has no last place worth counting.
    double ulps = 0;
};

/// The smallest magnitude that rounds to an infinity.
constexpr double float32_overflow = 0x1.ffffffp127, float16_overflow = 65520, bfloat16_overflow = 0x1.ffp127;
constexpr double no_overflow = std::numeric_limits<double>::infinity();

/// `got` and `expected` are of one length. As IEEE 754 has it: where a value is no number, the result is none
/// either; where it is from `overflow` on, the result is the infinity of its sign, and where it may be,
/// within the bound, either will do. Within an infinite bound of a number anything will.
Deviation deviation(std::span<const double> got, const Expected& expected, double overflow = no_overflow);
Deviation deviation(std::span<const float> got, const Expected& expected);

/// "element 3 of 96 is 0.5, expected 0.25: 3.2 times the bound 1e-06"
std::string describe(const Deviation& deviation, double got, const Expected& expected);

}  // namespace vknorm::testing
