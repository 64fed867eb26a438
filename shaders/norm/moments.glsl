// Count, mean and sum of squared deviations of a set of values, and their exact-minded merge: T. Chan, G. Golub,
// R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
//
// A mean is an unevaluated sum high + low, so that a mean far from zero keeps digits far below its own rounding.

#include "two_sum.glsl"

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
    const vec2 apart = two_sum(b.high, -a.high);
    precise const float low_apart = b.low - a.low;
    precise const float delta = apart.x + (apart.y + low_apart);
    precise const float share = float(b.count) / float(both.count);
    precise const float move = delta * share;
    const vec2 moved = two_sum(a.high, move);
    precise const float low = moved.y + a.low;
    const vec2 mean = two_sum(moved.x, low);
    both.high = mean.x;
    both.low = mean.y;
    precise const float between = delta * move * float(a.count);
    precise const float squares = a.squares + b.squares + between;
    both.squares = squares;
    return both;
}

// A lone strand's mean is its pilot and the rest.
Moments rounded(Moments moments) {
    const vec2 mean = two_sum(moments.high, moments.low);
    moments.high = mean.x;
    moments.low = mean.y;
    return moments;
}

uvec4 packed(Moments moments) {
    return uvec4(moments.count, floatBitsToUint(moments.high), floatBitsToUint(moments.low),
                 floatBitsToUint(moments.squares));
}

Moments unpacked(uvec4 bits) {
    return Moments(bits.x, uintBitsToFloat(bits.y), uintBitsToFloat(bits.z), uintBitsToFloat(bits.w));
}

uvec4 merge(uvec4 a, uvec4 b) { return packed(merge(unpacked(a), unpacked(b))); }
