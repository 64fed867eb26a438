// Sums as a float32 and what its rounding lost; partials have two of them.

#include "norm/numbers.glsl"

uvec4 merge_sums(uvec4 a, uvec4 b) {
    vec4 left = uintBitsToFloat(a);
    const vec4 right = uintBitsToFloat(b);
    add_sum(left.x, left.y, right.x, right.y);
    add_sum(left.z, left.w, right.z, right.w);
    return floatBitsToUint(left);
}
