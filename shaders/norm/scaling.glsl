// What the four values of a block are normalized with, read. Requires MEAN_BINDING and DEVIATION_BINDING; GAMMA_BINDING and
// BETA_BINDING where the kernel knows them; push.sets, push.gamma_first and push.beta_first.

#include "norm/inverse_deviation.glsl"
#include "norm/affine.glsl"

NUMBER_READER(mean, MEAN_BINDING)
NUMBER_READER(deviation, DEVIATION_BINDING)
#ifdef GAMMA_BINDING
NUMBER_READER(gamma, GAMMA_BINDING)
#endif
#ifdef BETA_BINDING
NUMBER_READER(beta, BETA_BINDING)
#endif

float inv_std_of(float deviation) {
    if (statistics == norm_of_moving) return 1 / deviation;
    if (statistics != norm_of_running) return deviation;
    precise const float variance = deviation + push.sets.epsilon;
    return inverse_deviation(variance);
}

// Mean, what its rounding lost, inv_std.
vec3 statistics_of_set(uint of_set) {
    const NormSets sets = push.sets;
    vec3 result = vec3(0, 0, inv_std_of(read_one_deviation(sets.deviation_first + of_set)));
    if (statistics != norm_of_squares) result.x = read_one_mean(sets.mean_first + of_set);
    if (statistics == norm_of_batch) result.y = read_one_mean(sets.mean_first + sets.low + of_set);
    return result;
}

uvec4 sets_of(Place place) {
    const NormSets sets = push.sets;
    const uvec4 of_sample = sets.first_channel + place.channels;
    return place.samp * sets.sample_sets + (sets.group == 1 ? of_sample : of_sample / sets.group);
}

void take_statistics(inout Scaling scaling, uvec4 of_sets) {
    const NormSets sets = push.sets;
    const vec4 read = read_four_deviation(sets.deviation_first + of_sets);
    scaling.inv_std = vec4(inv_std_of(read.x), inv_std_of(read.y), inv_std_of(read.z), inv_std_of(read.w));
    if (statistics != norm_of_squares) scaling.mean = read_four_mean(sets.mean_first + of_sets);
    if (statistics == norm_of_batch) scaling.mean_lost = read_four_mean(sets.mean_first + sets.low + of_sets);
}

void take_statistics(inout Scaling scaling, uint of_set) {
    const vec3 read = statistics_of_set(of_set);
    scaling.mean = vec4(read.x);
    scaling.mean_lost = vec4(read.y);
    scaling.inv_std = vec4(read.z);
}

void take_parameters(inout Scaling scaling, uvec4 at) {
#ifdef GAMMA_BINDING
    if (has_gamma) scaling.gamma = read_four_gamma(push.gamma_first + at);
#endif
#ifdef BETA_BINDING
    if (has_beta) scaling.beta = read_four_beta(push.beta_first + at);
#endif
}

// What the four values of each block at a place are normalized with.
Scaling scaling_at(Place place) {
    Scaling scaling = neutral;
    if (by_image) return scaling;
    const uvec4 of_sets = sets_of(place);
    if (adjacent) {
        take_statistics(scaling, of_sets);
        take_parameters(scaling, place.channels);
    } else {
        take_statistics(scaling, of_sets.x);
#ifdef GAMMA_BINDING
        if (has_gamma && !by_position) scaling.gamma = vec4(read_one_gamma(push.gamma_first + place.channels.x));
#endif
#ifdef BETA_BINDING
        if (has_beta && !by_position) scaling.beta = vec4(read_one_beta(push.beta_first + place.channels.x));
#endif
    }
    finish_scaling(scaling);
    return scaling;
}

// What differs from value to value takes the place of what a place has: of value `at` of the sequence, and the `values`
// from there on along a row.
Scaling scaling_of_value(Scaling scaling, uint at, uint values) {
    if (by_position) take_parameters(scaling, at + min(uvec4(0, 1, 2, 3), uvec4(values - 1)));
    if (by_image) take_statistics(scaling, at);
    if (by_position || by_image) scaling.scale = scale_of(scaling);
    return scaling;
}
