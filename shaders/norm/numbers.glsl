#ifndef VKNORM_SHADERS_NORM_NUMBERS
#define VKNORM_SHADERS_NORM_NUMBERS
// norm/arithmetic.glsl for one channel, and for four side by side.

#define NUMBER float
#include "norm/arithmetic.glsl"
#undef NUMBER
#define NUMBER vec4
#include "norm/arithmetic.glsl"
#undef NUMBER

// A sum and what its rounding lost, which is no number where the sum is none.
float together(float sum, float lost) {
    precise const float both = sum + lost;
    return abs(sum) > 3.4028234e38 ? sum : both;
}
vec4 together(vec4 sum, vec4 lost) {
    precise const vec4 both = sum + lost;
    return mix(both, sum, greaterThan(abs(sum), vec4(3.4028234e38)));
}
#endif
