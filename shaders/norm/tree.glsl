// Merges the partials of each set, in an order that depends on their number only.
//
// `lanes` invocations (1, norm_branch or the workgroup) share a set: each merges every lanes-th partial, then a tree of up to
// two levels merges theirs. Requires `uvec4 merge(uvec4, uvec4)`, for which zeros are neutral.

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint lanes = 1;

layout(std430, set = 0, binding = 0) readonly buffer Partials { uvec4 partials[]; };

shared uvec4 merged[gl_WorkGroupSize.x];

// What a partial of a run counts as, unless the kernel says otherwise.
#ifndef WEIGHTED
#define WEIGHTED(PARTIAL, RUN) PARTIAL
#endif

uint tree_set() { return gl_GlobalInvocationID.x / lanes; }

// The total of tree_set() is valid in the invocations for which this is true.
bool tree_root() { return gl_LocalInvocationID.x % lanes == 0; }

uvec4 tree_item(NormPartials from, uint i) {
    const uint run = from.run == from.items ? 0 : i / from.run;
    const uint at = from.first + tree_set() * from.set_pitch + run * from.run_pitch + (i - run * from.run);
    return WEIGHTED(partials[at], run);
}

uvec4 tree_total(NormPartials from) {
    const uint self = gl_LocalInvocationID.x;
    const uint lane = self % lanes;
    uvec4 total = uvec4(0);
    // Runs of norm_branch, then those: errors grow with the number of either, not with their product.
    for (uint begin = 0; begin < from.items && tree_set() < from.sets; begin += lanes * norm_branch) {
        uvec4 part = uvec4(0);
        for (uint i = begin + lane; i < min(begin + lanes * norm_branch, from.items); i += lanes)
            part = merge(part, tree_item(from, i));
        total = merge(total, part);
    }
    if (lanes == 1) return total;
    merged[self] = total;
    barrier();
    if (lane % norm_branch == 0) {
        for (uint i = 1; i < norm_branch; ++i) total = merge(total, merged[self + i]);
    }
    if (lanes == norm_branch) return total;
    if (lane % norm_branch == 0) merged[self] = total;
    barrier();
    if (lane == 0) {
        for (uint i = norm_branch; i < lanes; i += norm_branch) total = merge(total, merged[self + i]);
    }
    return total;
}
