// What the four values of a block are normalized with, read. Requires MEAN_BINDING and DEVIATION_BINDING; GAMMA_BINDING and
// BETA_BINDING where the kernel knows them; push.sets, push.gamma_first and push.beta_first.

#include "norm/inverse_deviation.glsl"
#include "norm/affine.glsl"

// Per channel or set one number, or, where the four values of a block have four adjacent ones, aligned as blocks are, all
// at once: ALIGNED_PARAMETERS, ALIGNED_STATISTICS.
#ifdef TEXELS
#define SCALAR_READER(NAME, BINDING)                                                               \
    layout(set = 0, binding = BINDING) uniform isamplerBuffer NAME##_texels;                       \
    float read_one_##NAME(uint at) { return intBitsToFloat(texelFetch(NAME##_texels, int(at)).x); } \
    vec4 read_four_##NAME(uvec4 at) {                                                              \
        return vec4(read_one_##NAME(at.x), read_one_##NAME(at.y), read_one_##NAME(at.z), read_one_##NAME(at.w)); \
    }
#define ALIGNED_READER(NAME, BINDING)                                        \
    layout(set = 0, binding = BINDING) uniform samplerBuffer NAME##_texels;  \
    float read_one_##NAME(uint at) { return 0; }                             \
    vec4 read_four_##NAME(uvec4 at) { return texelFetch(NAME##_texels, int(at.x >> 2)); }
#else
#define SCALAR_READER(NAME, BINDING)                                                                          \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Scalars { float NAME##_scalars[]; };     \
    float read_one_##NAME(uint at) { return NAME##_scalars[at]; }                                             \
    vec4 read_four_##NAME(uvec4 at) {                                                                         \
        return vec4(NAME##_scalars[at.x], NAME##_scalars[at.y], NAME##_scalars[at.z], NAME##_scalars[at.w]);  \
    }
#define ALIGNED_READER(NAME, BINDING)                                                                      \
    layout(std430, set = 0, binding = BINDING) readonly buffer NAME##Vectors { vec4 NAME##_vectors[]; };   \
    float read_one_##NAME(uint at) { return 0; }                                                           \
    vec4 read_four_##NAME(uvec4 at) { return NAME##_vectors[at.x >> 2]; }
#endif
#ifdef ALIGNED_STATISTICS
#define STATISTICS_READER ALIGNED_READER
#else
#define STATISTICS_READER SCALAR_READER
#endif
#ifdef ALIGNED_PARAMETERS
#define PARAMETER_READER ALIGNED_READER
#else
#define PARAMETER_READER SCALAR_READER
#endif

STATISTICS_READER(mean, MEAN_BINDING)
STATISTICS_READER(deviation, DEVIATION_BINDING)
#ifdef GAMMA_BINDING
PARAMETER_READER(gamma, GAMMA_BINDING)
#endif
#ifdef BETA_BINDING
PARAMETER_READER(beta, BETA_BINDING)
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

uint set_of_channel(uint samp, uint channel) {
    const NormSets sets = push.sets;
    const uint of_sample = sets.first_channel + channel;
    return samp * sets.sample_sets + (sets.group == 1 ? of_sample : of_sample / sets.group);
}

void take_statistics(inout Scaling scaling, uvec4 of_sets) {
    const NormSets sets = push.sets;
    const vec4 read = read_four_deviation(sets.deviation_first + of_sets);
    scaling.inv_std = vec4(inv_std_of(read.x), inv_std_of(read.y), inv_std_of(read.z), inv_std_of(read.w));
    if (statistics != norm_of_squares) scaling.mean = read_four_mean(sets.mean_first + of_sets);
    if (statistics == norm_of_batch) scaling.mean_lost = read_four_mean(sets.mean_first + sets.low + of_sets);
}

void take_parameters(inout Scaling scaling, uvec4 at) {
#ifdef GAMMA_BINDING
    if (has_gamma) scaling.gamma = read_four_gamma(push.gamma_first + at);
#endif
#ifdef BETA_BINDING
    if (has_beta) scaling.beta = read_four_beta(push.beta_first + at);
#endif
}

#if FORM == form_quads
#ifndef CHANNELS_OF
#define CHANNELS_OF(ELEMENT) ((ELEMENT + uvec4(0, 1, 2, 3)) / push.walk.span)
#endif

Scaling scaling_of_channel(uint samp, uint element) {
    Scaling scaling = neutral;
    if (by_image) return scaling;
    const uvec4 channels = CHANNELS_OF(element);
    take_statistics(scaling, uvec4(set_of_channel(samp, channels.x), set_of_channel(samp, channels.y),
                                   set_of_channel(samp, channels.z), set_of_channel(samp, channels.w)));
    take_parameters(scaling, channels);
    finish_scaling(scaling);
    return scaling;
}
#else
Scaling scaling_of_channel(uint samp, uint channel) {
    Scaling scaling = neutral;
    if (!by_image) {
        const vec3 read = statistics_of_set(set_of_channel(samp, channel));
        scaling.mean = vec4(read.x);
        scaling.mean_lost = vec4(read.y);
        scaling.inv_std = vec4(read.z);
    }
#ifdef GAMMA_BINDING
    if (has_gamma && !by_position) scaling.gamma = vec4(read_one_gamma(push.gamma_first + channel));
#endif
#ifdef BETA_BINDING
    if (has_beta && !by_position) scaling.beta = vec4(read_one_beta(push.beta_first + channel));
#endif
    finish_scaling(scaling);
    return scaling;
}
#endif

// What differs from value to value takes the place of what the channel has. A short block has `values` of them.
Scaling scaling_of_block(Scaling scaling, Cursor cursor, uint values) {
    if (!by_position && !by_image) return scaling;
    const uvec4 at = (form == form_vectors ? 4 * cursor.position : cursor.position) + min(uvec4(0, 1, 2, 3), uvec4(values - 1));
    if (by_position) take_parameters(scaling, at);
    if (by_image) take_statistics(scaling, at);
    scaling.scale = scale_of(scaling);
    return scaling;
}
