// The partials of each set merged into one, for others to go on with. By the build: of SUMS, of moments, or the AVERAGE
// of moments.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#if defined SUMS
#include "norm/sums.glsl"
#elif defined AVERAGE
#include "norm/average.glsl"
#else
#include "norm/moments.glsl"
#endif
#include "norm/tree.glsl"

layout(push_constant) uniform Push { NormMerge push; };

layout(std430, set = 0, binding = 1) buffer Result { uvec4 result[]; };

void main() {
    uvec4 total = tree_total(push.partials);
    if (!tree_root() || tree_set() >= push.partials.sets) return;
    const uint at = push.result_first + tree_set();
#if defined AVERAGE
    total = divided(total, push.partials.items);
#elif !defined SUMS
    total = packed(rounded(unpacked(total)));
#endif
    if (push.accumulate == 1) total = merge(result[at], total);
    result[at] = total;
}
