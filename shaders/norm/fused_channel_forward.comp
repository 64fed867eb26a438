// Training forward of a small tensor in one dispatch: a workgroup of eight measures a channel, and normalizes it while it is
// in its cache. Same bits as the three passes.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/fused_walk.glsl"

layout(push_constant) uniform Push { NormFusedForward push; };

#include "norm/features.glsl"
#include "norm/inverse_deviation.glsl"
#include "norm/affine.glsl"
#include "norm/moments.glsl"
#define BATCHES_BINDING 6
#include "norm/measure.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_WRITER(y, 1)  // write_y, write_tail_y
#include "norm/strand_moments.glsl"
layout(std430, set = 0, binding = 9) readonly buffer Gamma { float gammas[]; };
layout(std430, set = 0, binding = 10) readonly buffer Beta { float betas[]; };

uvec4 partial_of_strand(NormWalk walk, Strand strand) { return packed(moments_of_strand(walk, strand, push.x_first)); }

#include "norm/fused_tree.glsl"

bool counts_again(uint i) { return true; }

vec4 value_again(uint i) {
    const NormWalk walk = walk_of(push.shape);
    const uint block = i / 4, image = block / walk.span, position = block - image * walk.span;
    const uint address = gl_WorkGroupID.x * walk.channel_pitch + image * walk.image_pitch + position;
    return vec4(read_x(walk, push.x_first, Cursor(address, position))[i % 4]);
}

#include "norm/measure_again.glsl"
#define FINISH_BINDING 2
#include "norm/finish.glsl"

void main() {
    const uint x_first = push.x_first, y_first = push.y_first;
    const uint channel = gl_WorkGroupID.x, lane = gl_LocalInvocationID.x;
    if (push.counts == 1 && channel == 0 && lane == 0) count_batch();
    Moments moments = rounded(unpacked(total_of_channel(walk_of(push.shape), channel)));
    float unit = 1;
    const float variance = variance_of(moments);
    if (is_out_of_range(variance, push.epsilon)) {
        const Again again = measured_again(vec4(variance), push.shape.values, float(moments.count));
        if (is_better(again, 0)) {
            moments = Moments(moments.count, again.high.x, again.low.x, again.squares.x);
            unit = again.unit.x;
        }
    }
    const float inv_std = inv_std_of(moments, unit);
    if (lane == 0) finish(channel, moments, unit, inv_std);

    Scaling scaling = neutral;
    scaling.mean = vec4(moments.high * per_unit(unit));
    scaling.mean_lost = vec4(moments.low * per_unit(unit));
    scaling.inv_std = vec4(inv_std);
    if (has_gamma) scaling.gamma = vec4(gammas[push.gamma_first + channel]);
    if (has_beta) scaling.beta = vec4(betas[push.beta_first + channel]);
    finish_scaling(scaling);

    const NormWalk walk = walk_of_channel(push.shape);
    const Strand strand = strand_at(walk, 0, channel * walk.strands + lane);
    Cursor cursor = strand.start;
    for (uint i = 0; i < strand.blocks; ++i) {
        const Cursor here = stepped(walk, cursor);
        const vec4 y = affine(scaling, read_x(walk, x_first, here));
        write_y(walk, y_first, here, has_relu ? relu(y) : y);
    }
}
