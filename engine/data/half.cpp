#include "data/half.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace vknorm::detail {

namespace {

constexpr int fraction_bits = 10, least_exponent = -14, bias = 15;  // binary16 has these
constexpr uint16_t infinity = 0x7c00;

}  // namespace

uint16_t to_float16(float value) {
    const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
    if (std::isnan(value)) return sign | 0x7e00;
    const double magnitude = std::abs(double{value});
    if (magnitude >= 65520)
        return sign | infinity;  // it is halfway from the largest number to what would follow
    const int exponent = magnitude == 0 ? least_exponent : std::max(std::ilogb(magnitude), least_exponent);
    // The number counts units of the last place, with a leading 1 where it is normal: that adds 1 to the
    // exponent's bits.
    const double units = std::nearbyint(std::ldexp(magnitude, fraction_bits - exponent));
    const int bits = (exponent + bias - 1) * (1 << fraction_bits) + static_cast<int>(units);
    return static_cast<uint16_t>(sign | bits);
}

float from_float16(uint16_t bits) {
    const int exponent = bits >> fraction_bits & 0x1f, fraction = bits & 0x3ff;
    double magnitude = 0;
    if (exponent == 0x1f)
        magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                                  : std::numeric_limits<double>::quiet_NaN();
    else if (exponent == 0)
        magnitude = std::ldexp(fraction, least_exponent - fraction_bits);
    else
        magnitude = std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
    return static_cast<float>((bits & 0x8000) != 0 ? -magnitude : magnitude);
}

uint16_t to_bfloat16(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
    return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float from_bfloat16(uint16_t bits) {
    return std::bit_cast<float>(uint32_t{bits} << 16);
}

}  // namespace vknorm::detail
