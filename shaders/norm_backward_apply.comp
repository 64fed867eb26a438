// Backward, pass 3: dx = inv_std * (q - mean(q) - x^ * mean(q * x^)) with q = dy * gamma; where the statistics are
// constants the whole of dx = gamma * inv_std * dy.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm_walk.glsl"

layout(push_constant) uniform Push { NormBackwardApply push; };

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#ifdef GENERAL
#define BETA_BINDING 7
#define MASK_BINDING 8
#define VALID_BINDING 9
#endif
#include "norm_features.glsl"
#include "norm_scaling.glsl"
#include "norm_gate.glsl"

const bool needs_x = (features & norm_x) != 0;

BLOCK_READER(x, 0)
BLOCK_READER(dy, 1)
BLOCK_WRITER(dx, 2)
layout(std430, set = 0, binding = 6) readonly buffer Means { float means[]; };
#ifdef GENERAL
BLOCK_WRITER(dresidual, 10)
const bool gives_dx = (features & norm_dx) != 0;
const bool gives_dresidual = (features & norm_dresidual) != 0;
#endif

// mean(q), mean(q * x^), of the line's set; without gamma where q is not weighted.
vec2 means_of_line(uint samp, uint channel) {
    if (are_constants) return vec2(0);
    const uint at = push.means_first + 2 * set_of_line(samp, channel);
    return vec2(means[at], means[at + 1]);
}

vec4 dx_of(Scaling scaling, vec2 means_of_q, vec4 x, vec4 dy) {
    precise const vec4 full_scale = scaling.inv_std * scaling.gamma;
    if (are_constants) return full_scale * dy;
    const vec4 scale = weighted ? scaling.inv_std : full_scale;
    const vec4 q = weighted ? dy * scaling.gamma : dy;
    precise const vec4 slope = means_of_q.y * scaling.inv_std;
    precise const vec4 dx = scale * ((q - means_of_q.x) - centred(scaling, x) * slope);
    return dx;
}

void give(Strand strand, Cursor cursor, uint value, uint values, vec4 dx, vec4 dy) {
    const NormWalk walk = push.walk;
#ifdef GENERAL
    if (has_valid) dx = mix(vec4(0), dx, counted(value, values));
    if (gives_dresidual) {
        if (values == 4)
            write_dresidual(walk, push.dresidual_first, cursor, dy);
        else
            write_tail_dresidual(walk, push.dresidual_first, cursor, dy, values);
    }
    if (!gives_dx) return;
#endif
    if (values == 4)
        write_dx(walk, push.dx_first, cursor, dx);
    else
        write_tail_dx(walk, push.dx_first, cursor, dx, values);
}

void main() {
    const NormWalk walk = push.walk;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const Scaling of_line = scaling_of_line(samp, strand.channel);
            const vec2 means_of_q = means_of_line(samp, strand.channel);
            Cursor cursor = strand.start;
            uint value = strand.value;
            for (uint i = 0; i < strand.blocks; ++i) {
                const Scaling scaling = scaling_of_block(of_line, cursor, 4);
                const vec4 x = needs_x ? read_x(walk, push.x_first, cursor) : vec4(0);
                const vec4 dy = gated(strand, value, 4, scaling, x, read_dy(walk, push.dy_first, cursor));
                give(strand, cursor, value, 4, dx_of(scaling, means_of_q, x, dy), dy);
                advance(walk, cursor);
                value += 4 << walk.lane_bits;
            }
            if (strand.tail > 0) {
                const Scaling scaling = scaling_of_block(of_line, cursor, strand.tail);
                const vec4 x = needs_x ? read_tail_x(walk, push.x_first, cursor, strand.tail) : vec4(0);
                const vec4 read = read_tail_dy(walk, push.dy_first, cursor, strand.tail);
                const vec4 dy = gated(strand, value, strand.tail, scaling, x, read);
                give(strand, cursor, value, strand.tail, dx_of(scaling, means_of_q, x, dy), dy);
            }
        }
    }
}
