// Double backward: out = c.x + c.y * x^ + c.z * (dy - mean of dy) + c.w * (ddx - mean of ddx), c and means of the
// channel.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

layout(push_constant) uniform Push { NormCombine push; };

#define MEAN_BINDING 4
#define DEVIATION_BINDING 5
#include "norm/features.glsl"
#include "norm/scaling.glsl"

const bool needs_dy = (features & norm_dy) != 0;
const bool needs_ddx = (features & norm_ddx) != 0;

BLOCK_READER(x, 0)  // read_x, read_tail_x
BLOCK_READER(dy, 1)  // read_dy, read_tail_dy
BLOCK_READER(ddx, 2)  // read_ddx, read_tail_ddx
BLOCK_WRITER(out, 3)  // write_out, write_tail_out
layout(std430, set = 0, binding = 6) readonly buffer Coefficients { vec4 coefficients[]; };
layout(std430, set = 0, binding = 7) readonly buffer DyMeans { float dy_means[]; };
layout(std430, set = 0, binding = 8) readonly buffer DdxMeans { float ddx_means[]; };

struct Terms {
    vec4 c;
    float mean_dy, mean_ddx;
};

Terms terms_of(uint channel) {
    Terms terms = Terms(coefficients[push.coefficients_first + channel], 0, 0);
    if (needs_dy) terms.mean_dy = dy_means[push.dy_means_first + 2 * channel];
    if (needs_ddx) terms.mean_ddx = ddx_means[push.ddx_means_first + 2 * channel];
    return terms;
}

vec4 combined(Scaling scaling, Terms terms, vec4 x, vec4 dy, vec4 ddx) {
    precise const vec4 normalized = centred(scaling, x) * scaling.inv_std;
    precise vec4 total = vec4(terms.c.x);
    if (needs_ddx) total += terms.c.w * (ddx - terms.mean_ddx);
    if (needs_dy) total += terms.c.z * (dy - terms.mean_dy);
    total += terms.c.y * normalized;
    return total;
}

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, dy_first = push.dy_first;
    const uint ddx_first = push.ddx_first, out_first = push.out_first;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const Scaling scaling = scaling_of_channel(samp, strand.channel);
            const Terms terms = terms_of(strand.channel);
            Cursor cursor = strand.start;
            for (uint i = 0; i < strand.blocks; ++i) {
                const vec4 x = read_x(walk, x_first, cursor);
                const vec4 dy = needs_dy ? read_dy(walk, dy_first, cursor) : vec4(0);
                const vec4 ddx = needs_ddx ? read_ddx(walk, ddx_first, cursor) : vec4(0);
                write_out(walk, out_first, cursor, combined(scaling, terms, x, dy, ddx));
                advance(walk, cursor);
            }
            if (strand.tail > 0) {
                const uint values = strand.tail;
                const vec4 x = read_tail_x(walk, x_first, cursor, values);
                const vec4 dy = needs_dy ? read_tail_dy(walk, dy_first, cursor, values) : vec4(0);
                const vec4 ddx = needs_ddx ? read_tail_ddx(walk, ddx_first, cursor, values) : vec4(0);
                write_tail_out(walk, out_first, cursor, combined(scaling, terms, x, dy, ddx), values);
            }
        }
    }
}
