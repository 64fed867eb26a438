// Backward, pass 1: sum q and sum q * x^ of every strand, each as a float32 sum and what its rounding lost; q is dy, or
// dy * gamma.
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
#include "norm/gate.glsl"
#include "norm/sums.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };
#include "norm/strand_sums.glsl"

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, dy_first = push.dy_first, first_channel = push.sets.first_channel;
    const NormMask mask_at = push.mask;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            Scaling of_channel;
            if (needs_x) of_channel = scaling_of_channel(samp, strand.channel);
            partials[partial_of(push.strands, samp, strand)] =
                sums_of_strand(walk, strand, of_channel, x_first, dy_first, mask_at, first_channel + strand.channel);
        }
    }
}
