// Sums as a float32 and what its rounding lost; partials have two of them.

#include "two_sum.glsl"

// A sum goes on.
void add(inout vec2 total, vec4 terms) {
    precise const float block = (terms.x + terms.y) + (terms.z + terms.w);
    const vec2 sum = two_sum(total.x, block);
    precise const float lost = total.y + sum.y;
    total = vec2(sum.x, lost);
}

uvec4 merge(uvec4 a, uvec4 b) {
    const vec4 left = uintBitsToFloat(a);
    const vec4 right = uintBitsToFloat(b);
    const vec2 first = two_sum(left.x, right.x);
    const vec2 second = two_sum(left.z, right.z);
    precise const float lost_first = first.y + (left.y + right.y);
    precise const float lost_second = second.y + (left.w + right.w);
    return floatBitsToUint(vec4(first.x, lost_first, second.x, lost_second));
}
