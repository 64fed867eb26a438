// Backward, pass 2: the partials of each set become dgamma = sum dy * x^ and dbeta = sum dy, or, divided by the number of
// values, the means for pass 3.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#include "norm/sums.glsl"

PUSH_CONSTANTS(NormBackwardFinalize, push)

#define DGAMMA_BINDING 1
#include "norm/parameters.glsl"
layout(std430, set = 0, binding = 3) writeonly buffer Means { float means[]; };
layout(std430, set = 0, binding = 4) readonly buffer Weights { float weights[]; };
layout(std430, set = 0, binding = 5) readonly buffer Count { uint count[]; };

uvec4 weighted(uvec4 sums, uint of_set, uint run) {
    if (push.weight_sets == 0) return sums;
    const uint at = ((push.weight_shift + of_set) % push.weight_sets) * push.weight_items + run;
    return floatBitsToUint(uintBitsToFloat(sums) * weights[push.weights_first + at]);
}

#define WEIGHTED(PARTIAL, RUN) weighted(PARTIAL, tree_set(), RUN)
uvec4 merge(uvec4 a, uvec4 b) { return merge_sums(a, b); }
#include "norm/tree.glsl"

void main() {
    const vec4 sums = uintBitsToFloat(tree_total(push.partials));
    const uint of_set = tree_set();
    if (!tree_root() || of_set >= push.partials.sets) return;
    const float sum_dy = together(sums.x, sums.y);
    const float sum_dy_x = together(sums.z, sums.w);
    give_parameters(of_set, sum_dy, sum_dy_x);
    if ((push.gives & norm_gives_means) != 0) {
        const float values =
            push.counted == 1 ? max(float(count[push.count_first + of_set * push.count_pitch]), 1) : push.values;
        const uint at = push.means_first + 2 * of_set;
        means[at] = push.centred == 1 ? sum_dy / values : 0;
        means[at + 1] = sum_dy_x / values;
    }
}
