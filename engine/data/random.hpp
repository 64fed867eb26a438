// These random numbers are the same bits on every platform.
//
// The generator is splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA
// 2014; constants of S. Vigna's public-domain splitmix64.c). The distributions of the standard library and
// the C library's sin, cos and log differ between platforms, so what is needed of them is here, made of
// operations that IEEE 754 rounds exactly; sources that include this file are compiled without contraction to
// fused multiply-add.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

namespace vknorm::detail {

/// Returns cosine and sine of an angle counted in whole turns: exact at the quarters, elsewhere within 1e-15.
inline std::pair<double, double> cos_sin_turns(double turns) {
    const double quarters = std::floor(4 * turns + 0.5);
    const double angle = (turns - 0.25 * quarters) * 6.283185307179586;  // it is at most pi/4 either way
    const double square = angle * angle;
    double sine = 1, cosine = 1;  // these are Taylor series, the smallest terms first
    for (int k = 17; k > 1; k -= 2) sine = 1 - sine * square / (k * (k - 1));
    for (int k = 16; k > 0; k -= 2) cosine = 1 - cosine * square / (k * (k - 1));
    sine *= angle;
    switch (static_cast<int64_t>(quarters) & 3) {
        case 0:
            return {cosine, sine};
        case 1:
            return {-sine, cosine};
        case 2:
            return {-cosine, -sine};
        default:
            return {sine, -cosine};
    }
}

/// Returns the natural logarithm of a positive, finite number, within 1e-15 relative to the larger of 1 and
/// the result.
inline double logarithm(double x) {
    int exponent = 0;
    double mantissa = std::frexp(x, &exponent);  // it is in [1/2, 1)
    if (mantissa < 0.7071067811865476) {
        mantissa *= 2;
        --exponent;
    }
    const double z = (mantissa - 1) / (mantissa + 1);  // log(mantissa) = 2 artanh(z), |z| < 0.172
    double series = 0;
    for (int k = 21; k > 0; k -= 2) series = series * z * z + 1.0 / k;
    return 2 * z * series + exponent * 0.6931471805599453;
}

/// The purpose that a sequence is drawn for keeps the sequences of one seed apart.
enum class Purpose : uint64_t { points, digits, split, batches, shapes };

class Random {
  public:
    /// This is the sequence of splitmix64.c for that seed. Seeds that differ by a multiple of its increment
    /// give parts of one sequence.
    explicit Random(uint64_t seed) : state_(seed) {}
    /// `index` tells several sequences for one purpose apart.
    Random(uint64_t seed, Purpose purpose, uint64_t index = 0)
        : Random(mix(mix(seed) ^ mix(~index)) ^ mix(static_cast<uint64_t>(purpose) + 1)) {}

    uint64_t bits() { return mix(state_ += increment); }

    /// Returns a multiple of 2^-53 in [0, 1).
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }

    /// Returns a number in [0, bound), every one equally likely; `bound` is at least 1. (D. Lemire, "Fast
    /// random integer generation in an interval", ACM TOMACS 29(1), 2019.)
    uint32_t below(uint32_t bound) {
        const uint32_t unfair = (0u - bound) % bound;
        uint64_t product = 0;
        do {
            product = (bits() >> 32) * bound;
        } while (static_cast<uint32_t>(product) < unfair);
        return static_cast<uint32_t>(product >> 32);
    }

    /// Makes every order equally likely (Fisher and Yates).
    void shuffle(std::span<uint32_t> values) {
        for (auto left = static_cast<uint32_t>(values.size()); left > 1; --left)
            std::swap(values[left - 1], values[below(left)]);
    }

    /// Returns two independent standard normal values (Box and Muller, 1958).
    std::pair<double, double> normal_pair() {
        const double radius = std::sqrt(-2 * logarithm(1 - uniform()));
        const auto [cosine, sine] = cos_sin_turns(uniform());
        return {radius * cosine, radius * sine};
    }

  private:
    static constexpr uint64_t increment = 0x9e3779b97f4a7c15;  // it is 2^64 divided by the golden ratio

    static uint64_t mix(uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    uint64_t state_;
};

}  // namespace vknorm::detail
