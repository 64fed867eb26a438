// Backward, pass 1: sum dy and sum dy * x^ of every strand, each as a float32 sum and what its rounding lost.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "batch_norm_walk.glsl"
#include "batch_norm_normalize.glsl"
#include "two_sum.glsl"

layout(constant_id = 2) const bool needs_x = true;  // else sum dy only

layout(push_constant) uniform Push { BatchNormBackwardSums push; };

BLOCK_READER(x, 0)
BLOCK_READER(dy, 1)
NORMALIZER_READER(2, 3)
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };

void add(inout vec2 total, vec4 terms) {
    precise const float block = (terms.x + terms.y) + (terms.z + terms.w);
    const vec2 sum = two_sum(total.x, block);
    precise const float lost = total.y + sum.y;
    total = vec2(sum.x, lost);
}

vec4 product(Normalizer normalizer, vec4 x, vec4 dy) {
    precise const vec4 normalized = centred(normalizer, x) * normalizer.inv_std;
    precise const vec4 terms = dy * normalized;
    return terms;
}

void main() {
    const BatchNormWalk walk = push.walk;
    for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
        const Strand strand = strand_at(walk, work);
        Normalizer normalizer;
        if (needs_x) normalizer = read_normalizer(push.channels, strand.channel);
        vec2 sum_dy = vec2(0);
        vec2 sum_dy_x = vec2(0);
        Cursor cursor = strand.start;
        for (uint i = 0; i < strand.blocks; ++i) {
            const vec4 dy = read_dy(walk, push.dy_first, cursor);
            add(sum_dy, dy);
            if (needs_x) add(sum_dy_x, product(normalizer, read_x(walk, push.x_first, cursor), dy));
            advance(walk, cursor);
        }
        if (strand.tail > 0) {
            const vec4 dy = read_tail_dy(walk, push.dy_first, cursor, strand.tail);
            add(sum_dy, dy);
            if (needs_x) {
                const vec4 x = read_tail_x(walk, push.x_first, cursor, strand.tail);
                const bvec4 held = lessThan(uvec4(0, 1, 2, 3), uvec4(strand.tail));
                add(sum_dy_x, mix(vec4(0), product(normalizer, x, dy), held));
            }
        }
        partials[push.partials.first + strand.channel * push.partials.pitch + strand.index] =
            floatBitsToUint(vec4(sum_dy, sum_dy_x));
    }
}
