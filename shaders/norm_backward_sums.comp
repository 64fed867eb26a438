// Backward, pass 1: sum q and sum q * x^ of every strand, each as a float32 sum and what its rounding lost; q is dy, or
// dy * gamma.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm_walk.glsl"

layout(push_constant) uniform Push { NormBackwardSums push; };

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#define MASK_BINDING 7
#define VALID_BINDING 8
#include "norm_features.glsl"
#include "norm_scaling.glsl"
#include "norm_gate.glsl"
#include "norm_sums.glsl"

BLOCK_READER(x, 0)
BLOCK_READER(dy, 1)
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };

vec4 product(Scaling scaling, vec4 x, vec4 q) {
    precise const vec4 normalized = centred(scaling, x) * scaling.inv_std;
    precise const vec4 terms = q * normalized;
    return terms;
}

vec4 factor(NormMask at, uint channel, uint value, uint values, Scaling scaling, vec4 x, vec4 dy) {
    bvec4 passed;
    if (has_mask) passed = passed_of(was_let_through(at, channel, value, values));
    dy = gated(passed, value, values, scaling, x, dy);
    return weighted ? dy * scaling.gamma : dy;
}

// Values that do not count, or are not there, may be infinite.
vec4 counting(uint value, uint values, vec4 terms) {
    if (values < 4) terms = mix(vec4(0), terms, held(values));
    if (has_valid) terms = mix(vec4(0), terms, counted(value, values));
    return terms;
}

vec4 x_at(NormWalk walk, uint first, Cursor cursor) { return needs_x ? read_x(walk, first, cursor) : vec4(0); }

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, dy_first = push.dy_first;
    const uint step = 4 << walk.lane_bits;
    const NormMask mask_at = push.mask;
    const uint first_channel = push.sets.first_channel;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            Scaling of_line;
            if (needs_x) of_line = scaling_of_line(samp, strand.channel);
            const uint channel = first_channel + strand.channel;
            vec2 sum_q = vec2(0);
            vec2 sum_q_x = vec2(0);
            Cursor cursor = strand.start;
            uint value = strand.value;
            for (uint i = 0; i < strand.blocks; ++i) {
                const Scaling scaling = scaling_of_block(of_line, cursor, 4);
                const vec4 x = x_at(walk, x_first, cursor);
                const vec4 q = factor(mask_at, channel, value, 4, scaling, x, read_dy(walk, dy_first, cursor));
                add(sum_q, q);
                if (needs_x) add(sum_q_x, counting(value, 4, product(scaling, x, q)));
                advance(walk, cursor);
                value += step;
            }
            if (strand.tail > 0) {
                const Scaling scaling = scaling_of_block(of_line, cursor, strand.tail);
                const vec4 x = needs_x ? read_tail_x(walk, x_first, cursor, strand.tail) : vec4(0);
                const vec4 dy = read_tail_dy(walk, dy_first, cursor, strand.tail);
                const vec4 q = factor(mask_at, channel, value, strand.tail, scaling, x, dy);
                add(sum_q, q);
                if (needs_x) add(sum_q_x, counting(value, strand.tail, product(scaling, x, q)));
            }
            partials[partial_of(push.strands, samp, strand)] = floatBitsToUint(vec4(sum_q, sum_q_x));
        }
    }
}
