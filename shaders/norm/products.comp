// Double backward: sum (dy - mean of dy) * (ddx - mean of ddx) of every strand, as a float32 sum and what its
// rounding lost.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"

layout(push_constant) uniform Push { NormProducts push; };

#include "norm/features.glsl"
#include "norm/sums.glsl"

BLOCK_READER(dy, 0)  // read_dy, read_tail_dy
BLOCK_READER(ddx, 1)  // read_ddx, read_tail_ddx
layout(std430, set = 0, binding = 2) readonly buffer DyMeans { float dy_means[]; };
layout(std430, set = 0, binding = 3) readonly buffer DdxMeans { float ddx_means[]; };
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };

vec4 products(vec2 means, vec4 dy, vec4 ddx) {
    precise const vec4 of_dy = dy - means.x;
    precise const vec4 of_ddx = ddx - means.y;
    precise const vec4 terms = of_dy * of_ddx;
    return terms;
}

void main() {
    const NormWalk walk = push.walk;
    const uint dy_first = push.dy_first, ddx_first = push.ddx_first;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            const vec2 means = vec2(dy_means[push.dy_means_first + 2 * strand.channel],
                                    ddx_means[push.ddx_means_first + 2 * strand.channel]);
            vec2 total = vec2(0);
            Cursor cursor = strand.start;
            for (uint i = 0; i < strand.blocks; ++i) {
                const vec4 dy = read_dy(walk, dy_first, cursor);
                add(total, products(means, dy, read_ddx(walk, ddx_first, cursor)));
                advance(walk, cursor);
            }
            if (strand.tail > 0) {
                const vec4 dy = read_tail_dy(walk, dy_first, cursor, strand.tail);
                const vec4 ddx = read_tail_ddx(walk, ddx_first, cursor, strand.tail);
                add(total, mix(vec4(0), products(means, dy, ddx), held(strand.tail)));
            }
            partials[partial_of(push.strands, samp, strand)] = floatBitsToUint(vec4(total, 0, 0));
        }
    }
}
