// How far results are from what was expected, counted in what they may be off.
#pragma once

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

/// Where a value is not a number, the result has to be none either. `got` and `expected` are of one length.
Deviation deviation(std::span<const double> got, const Expected& expected);
Deviation deviation(std::span<const float> got, const Expected& expected);

/// "element 3 of 96 is 0.5, expected 0.25: 3.2 times the bound 1e-06"
std::string describe(const Deviation& deviation, double got, const Expected& expected);

}  // namespace vknorm::testing
