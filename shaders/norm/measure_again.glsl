// The moments of sets whose variance float32 does not hold, or whose values are not all finite: by two sweeps over the
// values, in units in which nothing leaves the range. One invocation reads a whole set, which is slow, and rare.
// Requires norm/numbers.glsl and, of up to four sets side by side, `vec4 value_again(uint i)` and
// `bool counts_again(uint i)`.

#include "finite.glsl"

// Float32 runs out of digits below such a variance, which shows where epsilon is smaller still.
const float least_variance = 1e-27, least_epsilon = 1e-24;
const float small_unit = 8.271806125530277e-25, large_unit = 1.2089258196146292e24;  // 2^-80, 2^80
const uint not_a_number = 0x7fc00000u;

struct Again {
    vec4 high, low, squares;  // of the values times `unit`
    vec4 unit;
};

bool is_out_of_range(float variance, float epsilon) {
    return !is_finite(variance) || (epsilon < least_epsilon && variance < least_variance);
}

bvec4 are_finite(vec4 v) { return notEqual(floatBitsToUint(v) & 0x7f800000u, uvec4(0x7f800000u)); }

// Of a variance that is out of range. `count` of so many values count. The first that does is taken from all of them: then
// the mean of equal values is one of them, and their variance 0.
Again measured_again(vec4 variance, uint values, float count) {
    Again again;
    again.unit = mix(vec4(small_unit), vec4(large_unit), are_finite(variance));
    vec4 first = vec4(0), sum = vec4(0), sum_lost = vec4(0), plain_sum = vec4(0);
    bool begun = false;
    for (uint i = 0; i < values; ++i) {
        if (!counts_again(i)) continue;
        precise const vec4 x = value_again(i) * again.unit;
        if (!begun) first = x;
        begun = true;
        precise const vec4 apart = x - first;
        add_sum(sum, sum_lost, apart, vec4(0));
        plain_sum += x;
    }
    precise const vec4 mean = (sum + sum_lost) / count;
    vec4 rest = vec4(0), rest_lost = vec4(0), squares = vec4(0), squares_lost = vec4(0);
    for (uint i = 0; i < values; ++i) {
        if (!counts_again(i)) continue;
        precise const vec4 apart = value_again(i) * again.unit - first;
        precise const vec4 deviation = apart - mean;
        precise const vec4 squared = deviation * deviation;
        add_sum(rest, rest_lost, deviation, vec4(0));
        add_sum(squares, squares_lost, squared, vec4(0));
    }
    // The mean once more, without the rounding of the division.
    precise const vec4 rounding = (rest + rest_lost) / count;
    precise const vec4 about_mean = (squares + squares_lost) - count * (rounding * rounding);
    vec4 lost, low;
    const vec4 near = two_sum(first, mean, lost);
    precise const vec4 rest_of_mean = lost + rounding;
    const vec4 high = two_sum(near, rest_of_mean, low);
    // The mean of what is not finite is what additions make of it.
    const bvec4 finite = are_finite(plain_sum);
    again.high = mix(plain_sum, high, finite);
    again.low = mix(vec4(0), low, finite);
    again.squares = mix(vec4(uintBitsToFloat(not_a_number)), max(about_mean, vec4(0)), finite);
    return again;
}

// Large values of a set without variance may leave the range in the large unit: they had better be measured in none.
bool is_better(Again again, uint k) { return again.unit[k] < 1 || is_finite(again.squares[k]); }
