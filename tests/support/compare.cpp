#include "support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace vknorm::testing {

namespace {

double ratio_of(double got, double expected, double bound) {
    if (std::isnan(expected) || std::isnan(got))
        return std::isnan(expected) && std::isnan(got) ? 0 : std::numeric_limits<double>::infinity();
    if (got == expected) return 0;
    return std::abs(got - expected) / bound;
}

/// The distance of float32 numbers around `value`.
double spacing(double value) {
    const int exponent = std::max(std::ilogb(value), -126);
    return std::ldexp(1.0, exponent - 23);
}

}  // namespace

Deviation deviation(std::span<const double> got, const Expected& expected) {
    Deviation worst;
    for (size_t i = 0; i < got.size(); ++i) {
        const double value = expected.values[i];
        const double ratio = ratio_of(got[i], value, expected.bounds[i]);
        if (ratio > worst.ratio) {
            worst.ratio = ratio;
            worst.at = i;
        }
        if (std::isfinite(value) && value != 0 && expected.bounds[i] <= 100 * spacing(value))
            worst.ulps = std::max(worst.ulps, std::abs(got[i] - value) / spacing(value));
    }
    return worst;
}

Deviation deviation(std::span<const float> got, const Expected& expected) {
    return deviation(std::vector<double>(got.begin(), got.end()), expected);
}

std::string describe(const Deviation& deviation, double got, const Expected& expected) {
    std::ostringstream text;
    text.precision(9);
    text << "element " << deviation.at << " of " << expected.values.size() << " is " << got << ", expected "
         << expected.values[deviation.at] << ": ";
    text.precision(3);
    text << deviation.ratio << " times the bound " << expected.bounds[deviation.at];
    return text.str();
}

}  // namespace vknorm::testing
