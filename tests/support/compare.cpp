#include "support/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace vknorm::testing {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double ratio_of(double got, double expected, double bound, double overflow) {
    if (got == expected || (std::isnan(got) && std::isnan(expected))) return 0;
    if (!std::isfinite(expected)) return infinity;
    if (bound == infinity) return 0;
    if (std::isnan(got) || std::isnan(bound)) return infinity;
    const double magnitude = std::abs(expected);
    if (std::isinf(got))
        return std::signbit(got) == std::signbit(expected) && magnitude + bound >= overflow ? 0 : infinity;
    if (magnitude - bound >= overflow) return infinity;
    return std::abs(got - expected) / bound;
}

/// The distance of float32 numbers around `value`.
double spacing(double value) {
    const int exponent = std::max(std::ilogb(value), -126);
    return std::ldexp(1.0, exponent - 23);
}

}  // namespace

Deviation deviation(std::span<const double> got, const Expected& expected, double overflow) {
    Deviation worst;
    for (size_t i = 0; i < got.size(); ++i) {
        const double value = expected.values[i];
        const double ratio = ratio_of(got[i], value, expected.bounds[i], overflow);
        if (ratio > worst.ratio) {
            worst.ratio = ratio;
            worst.at = i;
        }
        if (std::isfinite(value) && std::isfinite(got[i]) && value != 0 &&
            expected.bounds[i] <= 100 * spacing(value))
            worst.ulps = std::max(worst.ulps, std::abs(got[i] - value) / spacing(value));
    }
    return worst;
}

Deviation deviation(std::span<const float> got, const Expected& expected) {
    return deviation(std::vector<double>(got.begin(), got.end()), expected, float32_overflow);
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
