// Training forward in one dispatch: see norm/fused.glsl.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm/walk.glsl"
#include "norm/sweep.glsl"

PUSH_CONSTANTS(NormFusedForward, push)

#include "norm/features.glsl"
#include "norm/inverse_deviation.glsl"
#include "norm/affine.glsl"
#include "norm/moments.glsl"
#define BATCHES_BINDING 6
#include "norm/measure.glsl"
uvec4 merge(uvec4 a, uvec4 b) { return merge_moments(a, b); }
#include "norm/fused.glsl"

BLOCK_READER(x, 0)  // read_x
BLOCK_WRITER(y, 1)  // write_y, write_two_y
#include "norm/strand_moments.glsl"
NUMBER_READER(gamma, 7)
NUMBER_READER(beta, 8)

uvec4 partial_of_strand(uint of_set, uint row, uint s) {
    const NormWalk walk = walk_of(push.shape);
    const Place place = place_of_row(push.shape, of_set, row);
    return packed(moments_of_strands(walk, strand_of(walk, place, s), place.there, push.x_first)[0]);
}

// Of the four sets side by side, or of the first alone.
void take_moments(uint of_set, out Moments moments[4]) {
    if (!adjacent) {
        moments[0] = rounded(unpacked(total_of_set(push.shape, of_set)));
        return;
    }
    const NormWalk walk = walk_of(push.shape);
    const Place place = place_of_row(push.shape, of_set, 0);
    for (uint k = 0; k < 4; ++k) moments[k] = Moments(0, 0, 0, 0);
    for (uint s = 0; s < push.shape.strands; ++s) {
        const Moments more[4] = moments_of_strands(walk, strand_of(walk, place, s), place.there, push.x_first);
        for (uint k = 0; k < 4; ++k) moments[k] = merge(moments[k], more[k]);
    }
    for (uint k = 0; k < 4; ++k) moments[k] = rounded(moments[k]);
}

bool counts_again(uint i) { return true; }
vec4 value_again(uint i) {
    const NormFused shape = push.shape;
    const uint of_set = set_at_hand();
    if (adjacent) return read_x(push.x_first + place_of_row(shape, of_set, 0).address + i * shape.row_pitch, 4);
    const uint row = i / shape.values, value = i - row * shape.values;
    return vec4(read_x(push.x_first + place_of_row(shape, of_set, row).address + value / 4, 4)[value % 4]);
}

const bool gives_running = (features & norm_running) != 0, cumulative = false;
#include "norm/measure_again.glsl"
#define FINISH_BINDING 2
#include "norm/finish.glsl"

// What happens once for each set is a loop, so that it is compiled once.
const uint sets_at_hand = adjacent ? 4 : 1;

// Those of sets out of range are measured again; units take the power of two that they are counted in.
void take_units_of_sets(inout Moments moments[4], out vec4 units) {
    units = vec4(1);
    vec4 variance = vec4(1);
    bvec4 out_of_range = bvec4(false);
    for (uint k = 0; k < sets_at_hand; ++k) {
        variance[k] = variance_of(moments[k]);
        out_of_range[k] = is_out_of_range(variance[k], push.finish.epsilon);
    }
    if (!any(out_of_range)) return;
    const Again again = measured_again(variance, push.shape.values * (adjacent ? 1 : push.shape.rows), float(moments[0].count));
    for (uint k = 0; k < sets_at_hand; ++k) {
        if (!out_of_range[k] || !is_better(again, k)) continue;
        moments[k] = Moments(moments[k].count, again.high[k], again.low[k], again.squares[k]);
        units[k] = again.unit[k];
    }
}

Scaling scaling_of_sets(Moments moments[4], vec4 units) {
    Scaling scaling = neutral;
    for (uint k = 0; k < sets_at_hand; ++k) {
        scaling.mean[k] = moments[k].high * per_unit(units[k]);
        scaling.mean_lost[k] = moments[k].low * per_unit(units[k]);
        scaling.inv_std[k] = inv_std_of(moments[k], units[k]);
    }
    if (adjacent) return scaling;
    scaling.mean = scaling.mean.xxxx;
    scaling.mean_lost = scaling.mean_lost.xxxx;
    scaling.inv_std = scaling.inv_std.xxxx;
    return scaling;
}

// gamma and beta of a row.
Scaling with_parameters(Scaling scaling, Place place, uint row) {
    if (!by_position) {
        const uvec4 at = parameters_of(push.shape, place, row);
        if (has_gamma) scaling.gamma = adjacent ? read_four_gamma(push.gamma_first + at) : vec4(read_one_gamma(push.gamma_first + at.x));
        if (has_beta) scaling.beta = adjacent ? read_four_beta(push.beta_first + at) : vec4(read_one_beta(push.beta_first + at.x));
    }
    finish_scaling(scaling);
    return scaling;
}

// Of four values, the first of them value `at` of the row.
vec4 normalized(Scaling scaling, uint address, uint at) {
    if (by_position) {
        const uvec4 positions = at + uvec4(0, 1, 2, 3);
        if (has_gamma) scaling.gamma = read_four_gamma(push.gamma_first + positions);
        if (has_beta) scaling.beta = read_four_beta(push.beta_first + positions);
        scaling.scale = scale_of(scaling);
    }
    const vec4 y = affine(scaling, read_x(push.x_first + address, 4));
    return has_relu ? relu(y) : y;
}

void main() {
    const NormFused shape = push.shape;
    const uint of_set = set_at_hand();
    if ((features & norm_count) != 0 && gl_GlobalInvocationID.x == 0) count_batch();
    if (of_set >= shape.sets) return;
    Moments moments[4];
    take_moments(of_set, moments);
    vec4 units;
    take_units_of_sets(moments, units);
    const Scaling of_sets = scaling_of_sets(moments, units);
    if (hand() == 0) {
        for (uint k = 0; k < sets_at_hand; ++k) finish(of_set + k, moments[k], units[k], of_sets.inv_std[k]);
    }
    for (uint row = 0; row < (adjacent ? 1 : shape.rows); ++row) {
        const Place place = place_of_row(shape, of_set, row);
        const Scaling scaling = with_parameters(of_sets, place, row);
        const Sweep sweep = sweep_of_row(shape, place);
        uint address = sweep.address, at = sweep.first;
        for (uint pairs = sweep.pairs; pairs > 0; --pairs) {
            const uint next = address + sweep.next;
            const vec4 y = normalized(scaling, address, at);
            write_two_y(push.y_first + address, push.y_first + next, y, normalized(scaling, next, at + sweep.next_value), 4);
            address += sweep.step;
            at += sweep.value_step;
        }
        if (sweep.single) write_y(push.y_first + address, normalized(scaling, address, at), 4);
    }
}
