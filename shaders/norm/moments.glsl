// Count, mean and sum of squared deviations of a set of values, and their exact-minded merge: T. Chan, G. Golub,
// R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
//
// A mean is an unevaluated sum high + low, so that a mean far from zero keeps digits far below its own rounding.

#include "norm/numbers.glsl"

struct Moments {
    uint count;
    float high, low;
    float squares;  // sum of (x - mean)^2
};

Moments merge(Moments a, Moments b) {
    if (b.count == 0) return a;
    if (a.count == 0) return b;
    Moments both;
    both.count = a.count + b.count;
    float lost_apart, lost_moved, rest;
    const float apart = two_sum(b.high, -a.high, lost_apart);
    precise const float low_apart = b.low - a.low;
    precise const float delta = apart + (lost_apart + low_apart);
    precise const float share = float(b.count) / float(both.count);
    precise const float move = delta * share;
    const float moved = two_sum(a.high, move, lost_moved);
    precise const float low = lost_moved + a.low;
    both.high = two_sum(moved, low, rest);
    both.low = rest;
    precise const float between = delta * move * float(a.count);
    precise const float squares = a.squares + b.squares + between;
    both.squares = squares;
    return both;
}

// A lone strand's mean is its pilot and the rest.
Moments rounded(Moments moments) {
    float rest;
    moments.high = two_sum(moments.high, moments.low, rest);
    moments.low = rest;
    return moments;
}

uvec4 packed(Moments moments) {
    return uvec4(moments.count, floatBitsToUint(moments.high), floatBitsToUint(moments.low),
                 floatBitsToUint(moments.squares));
}

Moments unpacked(uvec4 bits) {
    return Moments(bits.x, uintBitsToFloat(bits.y), uintBitsToFloat(bits.z), uintBitsToFloat(bits.w));
}

uvec4 merge_moments(uvec4 a, uvec4 b) { return packed(merge(unpacked(a), unpacked(b))); }
