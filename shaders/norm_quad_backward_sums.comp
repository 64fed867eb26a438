// norm_backward_sums.comp where channels are adjacent and dy is not weighted: an invocation sums the strands of four
// channels, block by block and step by step as there, so that they have the same bits.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm_walk.glsl"

layout(push_constant) uniform Push { NormBackwardSums push; };

#define MEAN_BINDING 2
#define DEVIATION_BINDING 3
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#include "norm_features.glsl"
#include "norm_scaling.glsl"
#include "two_sum.glsl"

const bool needs_x = (features & norm_x) != 0;  // else sum dy only

BLOCK_READER(x, 0)
BLOCK_READER(dy, 1)
layout(std430, set = 0, binding = 4) writeonly buffer Partials { uvec4 partials[]; };

// Sums of four channels, and what their rounding lost.
struct Sums {
    vec4 high, lost;
};

Sums plus(Sums total, vec4 a, vec4 b, vec4 c, vec4 d) {
    precise const vec4 block = (a + b) + (c + d);
    precise const vec4 sum = total.high + block;
    precise const vec4 back = sum - total.high;
    precise const vec4 lost = total.lost + ((total.high - (sum - back)) + (block - back));
    return Sums(sum, lost);
}

struct Row {
    vec4 dy, product;
};

// Four adjacent elements of an image; by image, the statistics are those of the row.
Row row_at(NormWalk walk, Scaling scaling, uint image, uint x_at, uint dy_at) {
    Row row = Row(read_dy(walk, dy_at, Cursor(0, 0)), vec4(0));
    if (!needs_x) return row;
    if (by_image) {
        const vec3 of_row = statistics_of_set(image);
        scaling.mean = vec4(of_row.x);
        scaling.mean_lost = vec4(of_row.y);
        scaling.inv_std = vec4(of_row.z);
    }
    const vec4 x = read_x(walk, x_at, Cursor(0, 0));
    if (has_relu) row.dy = mix(row.dy, vec4(0), lessThanEqual(affine(scaling, x), vec4(0)));
    precise const vec4 normalized = centred(scaling, x) * scaling.inv_std;
    precise const vec4 terms = row.dy * normalized;
    row.product = terms;
    return row;
}

void main() {
    const NormWalk walk = push.walk;
    const uint x_first = push.x_first, dy_first = push.dy_first, pitch = walk.image_pitch;
    for (uint samp = gl_WorkGroupID.y; samp < walk.samples; samp += gl_NumWorkGroups.y) {
        for (uint work = gl_GlobalInvocationID.x; work < walk.channels * walk.strands; work += invocations()) {
            const Strand strand = strand_at(walk, samp, work);
            Scaling scaling;
            if (needs_x) scaling = scaling_of_line(samp, strand.channel);
            Sums q = Sums(vec4(0), vec4(0)), q_x = q;
            uint x = x_first + strand.start.address, dy = dy_first + strand.start.address;
            uint image = strand.start.position;
            for (uint i = 0; i < strand.blocks; ++i) {
                const Row a = row_at(walk, scaling, image, x, dy);
                const Row b = row_at(walk, scaling, image + 1, x + pitch, dy + pitch);
                const Row c = row_at(walk, scaling, image + 2, x + 2 * pitch, dy + 2 * pitch);
                const Row d = row_at(walk, scaling, image + 3, x + 3 * pitch, dy + 3 * pitch);
                q = plus(q, a.dy, b.dy, c.dy, d.dy);
                if (needs_x) q_x = plus(q_x, a.product, b.product, c.product, d.product);
                x += walk.step_address;
                dy += walk.step_address;
                image += walk.step_position;
            }
            if (strand.tail > 0) {
                const Row none = Row(vec4(0), vec4(0)), a = row_at(walk, scaling, image, x, dy);
                Row b = none, c = none;
                if (strand.tail > 1) b = row_at(walk, scaling, image + 1, x + pitch, dy + pitch);
                if (strand.tail > 2) c = row_at(walk, scaling, image + 2, x + 2 * pitch, dy + 2 * pitch);
                q = plus(q, a.dy, b.dy, c.dy, none.dy);
                if (needs_x) q_x = plus(q_x, a.product, b.product, c.product, none.product);
            }
            for (uint k = 0; k < 4; ++k) {
                partials[partial_of(push.strands, samp, strand) + k * push.strands.pitch] =
                    floatBitsToUint(vec4(q.high[k], q.lost[k], q_x.high[k], q_x.lost[k]));
            }
        }
    }
}
