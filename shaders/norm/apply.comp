// y = gamma * x^ + beta, and what may follow: + residual, ReLU.
#version 450
#extension GL_GOOGLE_include_directive : require

#define SWEEP
#include "norm/walk.glsl"

layout(push_constant) uniform Push { NormApply push; };

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 4
#define BETA_BINDING 5
#define MASK_BINDING 7
#define VALID_BINDING 8
#include "norm/features.glsl"
#include "norm/scaling.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_WRITER(y, 1)  // write_y, write_tail_y
BLOCK_READER(residual, 6)  // read_residual, read_tail_residual

vec4 finished(uint value, uint values, vec4 y, vec4 residual) {
    if (has_residual) y += residual;
    if (has_relu) y = relu(y);
    if (has_valid) y = mix(vec4(0), y, block_counted(value, values));
    return y;
}

// What the mask says of a run of images in quads, where a block adds a bit to each of four channels. NaN passes.
void take_positive(inout uvec4 run, uint image, vec4 y) {
    run |= mix(uvec4(1u << image), uvec4(0), lessThanEqual(y, vec4(0)));
}

void mark_positive(NormMask at, uint channel, uint value, uint values, vec4 y) {
    const uvec4 bits = mix(uvec4(1, 2, 4, 8), uvec4(0), lessThanEqual(mix(vec4(0), y, held(values)), vec4(0)));
    let_through(at, channel, value, bits.x | bits.y | bits.z | bits.w);
}

vec4 residual_at(NormWalk walk, uint first, Cursor cursor) {
    return has_residual ? read_residual(walk, first, cursor) : vec4(0);
}

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, y_first = push.y_first, residual_first = push.residual_first;
    const uint step = form == form_quads ? 1 : 4 << walk.lane_bits;
    const NormMask mask_at = push.mask;
    const uint first_channel = push.sets.first_channel;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const Scaling of_channel = scaling_of_channel(samp, strand.channel);
            Cursor cursor = strand.start;
            const uint channel = first_channel + strand.channel;
            uint value = strand.value;
            uvec4 run = uvec4(0);
            for (uint i = 0; i < strand.blocks; ++i) {
                const vec4 linear = affine(scaling_of_block(of_channel, cursor, 4), read_x(walk, x_first, cursor));
                const vec4 y = finished(value, 4, linear, residual_at(walk, residual_first, cursor));
                write_y(walk, y_first, cursor, y);
                if (has_mask && form == form_quads) take_positive(run, i, y);
                if (has_mask && form != form_quads) mark_positive(mask_at, channel, value, 4, y);
                advance(walk, cursor);
                value += step;
            }
            if (has_mask && form == form_quads) {
                for (uint k = 0; k < 4; ++k) let_through(mask_at, channel + k, strand.value, run[k]);
            }
            if (strand.tail > 0) {
                const vec4 linear = affine(scaling_of_block(of_channel, cursor, strand.tail),
                                           read_tail_x(walk, x_first, cursor, strand.tail));
                vec4 residual = vec4(0);
                if (has_residual) residual = read_tail_residual(walk, residual_first, cursor, strand.tail);
                const vec4 y = finished(value, strand.tail, linear, residual);
                write_tail_y(walk, y_first, cursor, y, strand.tail);
                if (has_mask) mark_positive(mask_at, channel, value, strand.tail, y);
            }
        }
    }
}
