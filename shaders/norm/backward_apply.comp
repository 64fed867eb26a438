// Backward, pass 3: dx = inv_std * (q - mean(q) - x^ * mean(q * x^)) with q = dy * gamma; where the statistics are
// constants the whole of dx = gamma * inv_std * dy.
#version 450
#extension GL_GOOGLE_include_directive : require

#define SWEEP
#include "norm/walk.glsl"

layout(push_constant) uniform Push { NormBackwardApply push; };

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#define BETA_BINDING 7
#define MASK_BINDING 8
#define VALID_BINDING 9
#include "norm/features.glsl"
#include "norm/scaling.glsl"
#include "norm/gate.glsl"

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
BLOCK_WRITER(dx, 2)  // write_dx, write_tail_dx
#ifdef TEXELS
layout(set = 0, binding = 6) uniform usamplerBuffer means;
vec2 means_of_set(uint of_set) { return uintBitsToFloat(texelFetch(means, int(push.means_first + of_set)).xy); }
#else
layout(std430, set = 0, binding = 6) readonly buffer MeansOfSets { vec2 means[]; };
vec2 means_of_set(uint of_set) { return means[push.means_first + of_set]; }
#endif
BLOCK_WRITER(dresidual, 10)  // write_dresidual, write_tail_dresidual

#include "norm/dx.glsl"

Means means_of_channel(uint samp, uint channel) {
    if (are_constants) return Means(vec4(0), vec4(0));
#if FORM == form_quads
    const uvec4 channels = CHANNELS_OF(channel);
    const vec2 a = means_of_set(set_of_channel(samp, channels.x)), b = means_of_set(set_of_channel(samp, channels.y));
    const vec2 c = means_of_set(set_of_channel(samp, channels.z)), d = means_of_set(set_of_channel(samp, channels.w));
    return Means(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y));
#else
    const vec2 both = means_of_set(set_of_channel(samp, channel));
    return Means(vec4(both.x), vec4(both.y));
#endif
}

vec4 x_at(NormWalk walk, uint first, Cursor cursor) { return needs_x ? read_x(walk, first, cursor) : vec4(0); }

struct Block {
    Cursor cursor;
    uint value, values;
    bvec4 passed;
    vec4 x, dy;
};

void give(NormWalk walk, uint dx_first, uint dresidual_first, Scaling of_channel, Means means_of_q, Block block) {
    const Scaling scaling = scaling_of_block(of_channel, block.cursor, block.values);
    const vec4 dy = gated(block.passed, block.value, block.values, scaling, block.x, block.dy);
    vec4 dx = dx_of(scaling, means_of_q, block.x, dy);
    if (has_valid) dx = mix(vec4(0), dx, block_counted(block.value, block.values));
    if (block.values == 4) {
        if (gives_dresidual) write_dresidual(walk, dresidual_first, block.cursor, dy);
        if (gives_dx) write_dx(walk, dx_first, block.cursor, dx);
    } else {
        if (gives_dresidual) write_tail_dresidual(walk, dresidual_first, block.cursor, dy, block.values);
        if (gives_dx) write_tail_dx(walk, dx_first, block.cursor, dx, block.values);
    }
}

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, dy_first = push.dy_first;
    const uint dx_first = push.dx_first, dresidual_first = push.dresidual_first;
    const uint step = form == form_quads ? 1 : 4 << walk.lane_bits;
    const NormMask mask_at = push.mask;
    const uint first_channel = push.sets.first_channel;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const Scaling of_channel = scaling_of_channel(samp, strand.channel);
            const Means means_of_q = means_of_channel(samp, strand.channel);
            Cursor cursor = strand.start;
            const uint channel = first_channel + strand.channel;
            uint value = strand.value;
            uvec4 run;  // of images, in quads
            if (has_mask && form == form_quads) run = were_let_through(mask_at, channel, value, strand.blocks);
            for (uint i = 0; i < strand.blocks; ++i) {
                const vec4 x = x_at(walk, x_first, cursor), dy = read_dy(walk, dy_first, cursor);
                bvec4 passed;
                if (has_mask && form == form_quads) passed = notEqual(run & (1u << i), uvec4(0));
                if (has_mask && form != form_quads) passed = passed_of(was_let_through(mask_at, channel, value, 4));
                give(walk, dx_first, dresidual_first, of_channel, means_of_q, Block(cursor, value, 4, passed, x, dy));
                advance(walk, cursor);
                value += step;
            }
            if (strand.tail > 0) {
                vec4 x = vec4(0);
                if (needs_x) x = read_tail_x(walk, x_first, cursor, strand.tail);
                const vec4 dy = read_tail_dy(walk, dy_first, cursor, strand.tail);
                bvec4 passed;
                if (has_mask) passed = passed_of(was_let_through(mask_at, channel, value, strand.tail));
                give(walk, dx_first, dresidual_first, of_channel, means_of_q,
                     Block(cursor, value, strand.tail, passed, x, dy));
            }
        }
    }
}
