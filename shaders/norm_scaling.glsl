// What the four values of a block are normalized with: y = gamma * x^ + beta, x^ = (x - mean) * inv_std. Requires
// MEAN_BINDING and DEVIATION_BINDING; GAMMA_BINDING and BETA_BINDING where the kernel knows them; push.sets,
// push.gamma_first and push.beta_first.

#include "inverse_deviation.glsl"

layout(constant_id = 1) const uint statistics = norm_of_batch;
const bool are_constants = (statistics & 1) != 0;

layout(std430, set = 0, binding = MEAN_BINDING) readonly buffer Mean { float mean[]; };
layout(std430, set = 0, binding = DEVIATION_BINDING) readonly buffer Deviation { float deviation[]; };
#ifdef GAMMA_BINDING
layout(std430, set = 0, binding = GAMMA_BINDING) readonly buffer Gamma { float gammas[]; };
#endif
#ifdef BETA_BINDING
layout(std430, set = 0, binding = BETA_BINDING) readonly buffer Beta { float betas[]; };
#endif

struct Scaling {
    vec4 mean, mean_lost, inv_std;
    vec4 gamma, beta;
};

vec3 statistics_of_set(uint of_set) {
    const NormSets sets = push.sets;
    const float value = deviation[sets.deviation_first + of_set];
    if (statistics == norm_of_squares) return vec3(0, 0, value);
    const float high = mean[sets.mean_first + of_set];
    if (statistics == norm_of_moving) return vec3(high, 0, 1 / value);
    if (statistics == norm_of_running) {
        precise const float variance = value + sets.epsilon;
        return vec3(high, 0, inverse_deviation(variance));
    }
    return vec3(high, mean[sets.mean_first + sets.low + of_set], value);
}

uint set_of_line(uint samp, uint channel) {
    const NormSets sets = push.sets;
    const uint of_sample = sets.first_channel + channel;
    return samp * sets.sample_sets + (sets.group == 1 ? of_sample : of_sample / sets.group);
}

Scaling scaling_of_line(uint samp, uint channel) {
    const vec3 line = by_image ? vec3(0) : statistics_of_set(set_of_line(samp, channel));
    Scaling scaling = Scaling(vec4(line.x), vec4(line.y), vec4(line.z), vec4(1), vec4(0));
#ifdef GAMMA_BINDING
    if (has_gamma && !by_position) scaling.gamma = vec4(gammas[push.gamma_first + channel]);
#endif
#ifdef BETA_BINDING
    if (has_beta && !by_position) scaling.beta = vec4(betas[push.beta_first + channel]);
#endif
    return scaling;
}

// What differs from value to value takes the place of what the line has. A short block has `values` of them.
Scaling scaling_of_block(Scaling scaling, Cursor cursor, uint values) {
#ifdef GENERAL
    const uvec4 at = cursor.position + min(uvec4(0, 1, 2, 3), uvec4(values - 1));
    if (by_position && has_gamma) {
        const uvec4 i = push.gamma_first + at;
        scaling.gamma = vec4(gammas[i.x], gammas[i.y], gammas[i.z], gammas[i.w]);
    }
    if (by_position && has_beta) {
        const uvec4 i = push.beta_first + at;
        scaling.beta = vec4(betas[i.x], betas[i.y], betas[i.z], betas[i.w]);
    }
    if (by_image) {
        const vec3 a = statistics_of_set(at.x), b = statistics_of_set(at.y);
        const vec3 c = statistics_of_set(at.z), d = statistics_of_set(at.w);
        scaling.mean = vec4(a.x, b.x, c.x, d.x);
        scaling.mean_lost = vec4(a.y, b.y, c.y, d.y);
        scaling.inv_std = vec4(a.z, b.z, c.z, d.z);
    }
#endif
    return scaling;
}

// x minus the mean.
vec4 centred(Scaling scaling, vec4 x) {
    if (statistics == norm_of_squares) return x;
    precise const vec4 from_high = x - scaling.mean;
    if (are_constants) return from_high;
    precise const vec4 from_mean = from_high - scaling.mean_lost;
    return from_mean;
}

vec4 affine(Scaling scaling, vec4 x) {
    precise const vec4 scale = scaling.inv_std * scaling.gamma;
    precise const vec4 y = centred(scaling, x) * scale + scaling.beta;
    return y;
}
