// backward_sums.comp where channels are adjacent and dy is not weighted: an invocation sums the strands of four
// channels.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

layout(push_constant) uniform Push { NormBackwardSums push; };

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#define MASK_BINDING 7
#define VALID_BINDING 8
#include "norm/features.glsl"
#include "norm/scaling.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };
#include "norm/quad_sums.glsl"

void main() {
    const NormWalk walk = push.walk;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            Scaling scaling;
            if (needs_x) scaling = scaling_of_channel(samp, strand.channel);
            const QuadSums sums = sums_of_quad(walk, strand, scaling, push.x_first, push.dy_first);
            for (uint k = 0; k < 4; ++k) {
                partials[partial_of(push.strands, samp, strand) + k * push.strands.pitch] =
                    floatBitsToUint(vec4(sums.q.high[k], sums.q.lost[k], sums.q_x.high[k], sums.q_x.lost[k]));
            }
        }
    }
}
