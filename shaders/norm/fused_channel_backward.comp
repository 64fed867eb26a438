// Training backward of a small tensor in one dispatch: a workgroup of eight sums a channel, and gives its dx while it is in
// its cache. Same bits as the three passes.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/fused_walk.glsl"

layout(push_constant) uniform Push { NormFusedBackward push; };

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#include "norm/features.glsl"
#include "norm/scaling.glsl"
#include "norm/sums.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
BLOCK_WRITER(dx, 2)  // write_dx, write_tail_dx
#define DGAMMA_BINDING 7
#include "norm/parameters.glsl"

vec4 gated(bvec4 passed, uint value, uint values, Scaling scaling, vec4 x, vec4 dy) {
    return has_relu ? relu_gradient(scaling, x, dy) : dy;
}

#include "norm/strand_sums.glsl"
#include "norm/dx.glsl"

uvec4 partial_of_strand(NormWalk walk, Strand strand) {
    const Scaling scaling = scaling_of_channel(0, strand.channel);
    return sums_of_strand(walk, strand, scaling, push.x_first, push.dy_first, NormMask(0, 0, 0), strand.channel);
}

#include "norm/fused_tree.glsl"

void main() {
    const uint x_first = push.x_first, dy_first = push.dy_first, dx_first = push.dx_first;
    const uint channel = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    const vec4 sums = uintBitsToFloat(total_of_channel(walk_of(push.shape), channel));
    const float sum_dy = together(sums.x, sums.y);
    const float sum_dy_x = together(sums.z, sums.w);
    if (lane == 0) give_parameters(channel, sum_dy, sum_dy_x);

    const Means means = Means(vec4(sum_dy / push.values), vec4(sum_dy_x / push.values));
    const Scaling scaling = scaling_of_channel(0, channel);
    const NormWalk walk = walk_of_channel(push.shape);
    const Strand strand = strand_at(walk, 0, channel * walk.strands + lane);
    Cursor cursor = strand.start;
    for (uint i = 0; i < strand.blocks; ++i) {
        const Cursor here = stepped(walk, cursor);
        const vec4 x = read_x(walk, x_first, here), dy = read_dy(walk, dy_first, here);
        write_dx(walk, dx_first, here, dx_of(scaling, means, x, gated(bvec4(true), 0, 4, scaling, x, dy)));
    }
}
