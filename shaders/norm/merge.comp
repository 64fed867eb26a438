// The partials of each set merged into one, for others to go on with: moments, sums, or the moments of sets of equal
// size for their average.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#include "norm/moments.glsl"
#include "norm/sums.glsl"
#include "norm/average.glsl"

layout(constant_id = 2) const uint what = norm_merges_moments;

uvec4 merge(uvec4 a, uvec4 b) {
    if (what == norm_merges_sums) return merge_sums(a, b);
    return what == norm_merges_average ? merge_for_average(a, b) : merge_moments(a, b);
}
#include "norm/tree.glsl"

PUSH_CONSTANTS(NormMerge, push)

layout(std430, set = 0, binding = 1) buffer Result { uvec4 result[]; };

void main() {
    uvec4 total = tree_total(push.partials);
    if (!tree_root() || tree_set() >= push.partials.sets) return;
    const uint at = push.result_first + tree_set();
    if (what == norm_merges_average) total = divided(total, push.partials.items);
    if (what == norm_merges_moments) total = packed(rounded(unpacked(total)));
    if (push.accumulate == 1) total = merge(result[at], total);
    result[at] = total;
}
