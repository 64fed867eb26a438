// The partials of each set become mean, inv_std and, for the sets of batch normalization, the update of the running
// statistics and the report on the channel.
#version 450
#extension GL_GOOGLE_include_directive : require

#include "norm.h"
#ifdef SIXTEEN_BITS
#include "norm/storage_16.glsl"
#else
#include "norm/storage_32.glsl"
#endif
#include "norm/inverse_deviation.glsl"
#include "norm/moments.glsl"
uvec4 merge(uvec4 a, uvec4 b) { return merge_moments(a, b); }
#include "norm/tree.glsl"

layout(constant_id = 3) const uint features = 0;
const bool has_valid = (features & norm_valid) != 0;
const bool has_x = (features & norm_x) != 0;
const bool gives_running = (features & norm_running) != 0;
const bool cumulative = (features & norm_cumulative) != 0;
const bool gives_health = (features & norm_health) != 0;
const bool gives_count = (features & norm_count) != 0;

PUSH_CONSTANTS(NormFinalize, push)

layout(std430, set = 0, binding = 8) readonly buffer X { stored x[]; };
layout(std430, set = 0, binding = 9) readonly buffer Valid { uint valid[]; };

uint values_of_a_channel() { return push.images * push.positions; }

bool counts_again(uint i) { return !has_valid || valid[push.valid_first + i] != 0; }

vec4 value_again(uint i) {
    const uint of_set = push.first_set + tree_set(), sample_sets = push.channels / push.group;
    const uint samp = of_set / sample_sets, of_sample = of_set - samp * sample_sets;
    const uint of_group = i / values_of_a_channel(), value = i - of_group * values_of_a_channel();
    const uint image = samp * push.images + value / push.positions, position = value % push.positions;
    const uint channel = of_sample * push.group + of_group;
    const uint in_image = push.channels_last == 1 ? position * push.channels + channel : channel * push.positions + position;
    return vec4(loaded(x[push.x_first + image * push.channels * push.positions + in_image]));
}

#include "norm/measure_again.glsl"
#define FINISH_BINDING 1
#define HEALTH_BINDING 6
#include "norm/finish.glsl"

void main() {
    Moments moments = rounded(unpacked(tree_total(push.partials)));
    if (!tree_root() || tree_set() >= push.partials.sets) return;
    float unit = 1;
    const float variance = variance_of(moments);
    const uint values = values_of_a_channel() * push.group;
    if (has_x && values > 0 && moments.count > 0 && is_out_of_range(variance, push.finish.epsilon)) {
        const Again again = measured_again(vec4(variance), values, float(moments.count));
        if (is_better(again, 0)) {
            moments = Moments(moments.count, again.high.x, again.low.x, again.squares.x);
            unit = again.unit.x;
        }
    }
    finish(tree_set(), moments, unit, inv_std_of(moments, unit));
}
