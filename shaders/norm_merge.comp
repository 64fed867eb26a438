// The partials of each set merged into one, for others to go on with. By the build: SUMS, else moments.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#ifdef SUMS
#include "norm_sums.glsl"
#else
#include "norm_moments.glsl"
#endif
#include "norm_tree.glsl"

layout(push_constant) uniform Push { NormMerge push; };

layout(std430, set = 0, binding = 1) buffer Result { uvec4 result[]; };

void main() {
    uvec4 total = tree_total(push.partials);
    if (!tree_root() || tree_set() >= push.partials.sets) return;
    const uint at = push.result_first + tree_set();
    if (push.accumulate == 1) total = merge(result[at], total);
    result[at] = total;
}
