// Sums of the moments of sets of equal size, for their average.

#include "norm/numbers.glsl"

// Count; the sum of the means and what its rounding lost; the sum of the squares.
uvec4 merge_for_average(uvec4 a, uvec4 b) {
    float mean = uintBitsToFloat(a.y), lost = uintBitsToFloat(a.z);
    add_sum(mean, lost, uintBitsToFloat(b.y), uintBitsToFloat(b.z));
    precise const float squares = uintBitsToFloat(a.w) + uintBitsToFloat(b.w);
    return uvec4(max(a.x, b.x), floatBitsToUint(mean), floatBitsToUint(lost), floatBitsToUint(squares));
}

uvec4 divided(uvec4 sums, uint sets) {
    const vec3 average = uintBitsToFloat(sums.yzw) / float(max(sets, 1));
    return uvec4(sums.x, floatBitsToUint(average));
}
