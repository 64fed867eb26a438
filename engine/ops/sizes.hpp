// Arithmetic on sizes that cannot overflow unnoticed.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace vknorm::detail {

/// Trips of all loops of an invocation together: Mesa 22.3 silently ends loops after 65 535.
constexpr uint32_t maximum_trips = 30000;

/// a / b rounded up; unlike (a + b - 1) / b it cannot overflow.
template <std::unsigned_integral T>
constexpr T ceil_div(T a, T b) {
    return a / b + (a % b != 0);
}

template <std::unsigned_integral T>
constexpr T round_down(T value, T multiple) {
    return value - value % multiple;
}

template <std::unsigned_integral T>
constexpr T round_up(T value, T multiple) {
    return ceil_div(value, multiple) * multiple;
}

/// a * b; throws std::invalid_argument naming `what` when 64 bits do not hold it.
inline uint64_t checked_product(uint64_t a, uint64_t b, const std::string& what) {
    if (a != 0 && b > std::numeric_limits<uint64_t>::max() / a) {
        throw std::invalid_argument(what + ": got " + std::to_string(a) + " times " + std::to_string(b) +
                                    ", needs at most 18446744073709551615");
    }
    return a * b;
}

}  // namespace vknorm::detail
