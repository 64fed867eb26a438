// Training backward in one dispatch: see norm/fused.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/sweep.glsl"

PUSH_CONSTANTS(NormFusedBackward, push)

#define MEAN_BINDING 3
#define DEVIATION_BINDING 4
#define GAMMA_BINDING 5
#define BETA_BINDING 6
#include "norm/features.glsl"
#include "norm/scaling.glsl"
#include "norm/gate.glsl"
#include "norm/sums.glsl"
uvec4 merge(uvec4 a, uvec4 b) { return merge_sums(a, b); }
#include "norm/fused.glsl"

BLOCK_READER(x, 0)  // read_x
BLOCK_READER(dy, 1)  // read_dy
BLOCK_WRITER(dx, 2)  // write_dx, write_two_dx
#define DGAMMA_BINDING 7
#include "norm/parameters.glsl"
#include "norm/strand_sums.glsl"
#include "norm/terms.glsl"
#include "norm/dx.glsl"

uvec4 partial_of_strand(uint of_set, uint row, uint s) {
    const NormWalk walk = walk_of(push.shape);
    const Place place = place_of_row(push.shape, of_set, row);
    return sums_of_strands(walk, place, strand_of(walk, place, s), scaling_at(place), push.x_first, push.dy_first)[0];
}

// Of the four sets side by side, or of the first alone.
void take_sums(uint of_set, out vec4 sums[4]) {
    if (!adjacent) {
        sums[0] = uintBitsToFloat(total_of_set(push.shape, of_set));
        return;
    }
    const NormWalk walk = walk_of(push.shape);
    const Place place = place_of_row(push.shape, of_set, 0);
    const Scaling scaling = scaling_at(place);
    uvec4 total[4] = uvec4[4](uvec4(0), uvec4(0), uvec4(0), uvec4(0));
    for (uint s = 0; s < push.shape.strands; ++s) {
        const uvec4 more[4] =
            sums_of_strands(walk, place, strand_of(walk, place, s), scaling, push.x_first, push.dy_first);
        for (uint k = 0; k < 4; ++k) total[k] = merge(total[k], more[k]);
    }
    for (uint k = 0; k < 4; ++k) sums[k] = uintBitsToFloat(total[k]);
}

// Of four values, the first of them value `at` of the row.
vec4 gradient(Place place, Scaling of_place, Means of_q, uint address, uint at) {
    const Scaling scaling = scaling_of_value(of_place, at, 4);
    const vec4 x = read_x(push.x_first + address, 4);
    const vec4 dy = gated(place, push.dy_first + address, at, 4, scaling, x, read_dy(push.dy_first + address, 4), uvec4(0));
    return dx_of(scaling, of_q, x, dy);
}

void main() {
    const NormFused shape = push.shape;
    const uint of_set = set_at_hand();
    if (of_set >= shape.sets) return;
    vec4 sums[4];
    take_sums(of_set, sums);
    Means of_q = Means(vec4(0), vec4(0));
    for (uint k = 0; k < (adjacent ? 4 : 1); ++k) {
        const float sum_dy = together(sums[k].x, sums[k].y), sum_dy_x = together(sums[k].z, sums[k].w);
        if (hand() == 0) give_parameters(of_set + k, sum_dy, sum_dy_x);
        if (push.centred == 1) of_q.q[k] = sum_dy / push.values;
        of_q.product[k] = sum_dy_x / push.values;
    }
    if (!adjacent) of_q = Means(of_q.q.xxxx, of_q.product.xxxx);
    for (uint row = 0; row < (adjacent ? 1 : shape.rows); ++row) {
        const Place place = place_of_row(shape, of_set, row);
        const Scaling scaling = scaling_at(place);
        const Sweep sweep = sweep_of_row(shape, place);
        uint address = sweep.address, at = sweep.first;
        for (uint pairs = sweep.pairs; pairs > 0; --pairs) {
            const uint next = address + sweep.next;
            const vec4 dx = gradient(place, scaling, of_q, address, at);
            write_two_dx(push.dx_first + address, push.dx_first + next, dx,
                         gradient(place, scaling, of_q, next, at + sweep.next_value), 4);
            address += sweep.step;
            at += sweep.value_step;
        }
        if (sweep.single) write_dx(push.dx_first + address, gradient(place, scaling, of_q, address, at), 4);
    }
}
