// norm_statistics.comp where channels are adjacent: an invocation measures the strands of four channels.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm_walk.glsl"

#define BATCHES_BINDING 2
layout(push_constant) uniform Push { NormStatistics push; };

#include "norm_features.glsl"

BLOCK_READER(x, 0)
#include "norm_quad_moments.glsl"
layout(std430, set = 0, binding = 1) writeonly buffer Partials { uvec4 partials[]; };

void main() {
    const NormWalk walk = push.walk;
    if (push.counts == 1 && gl_GlobalInvocationID.x == 0 && gl_GlobalInvocationID.y == 0) count_batch();
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const Moments moments[4] = moments_of_quad(walk, strand, push.x_first);
            for (uint k = 0; k < 4; ++k)
                partials[partial_of(push.strands, samp, strand) + k * push.strands.pitch] = packed(moments[k]);
        }
    }
}
