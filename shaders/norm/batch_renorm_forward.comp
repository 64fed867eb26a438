// Batch renormalization's corrections of the statistics of a batch: r and d from the moving statistics, then the moving
// statistics' update; and y = x^ * scale + shift, which is gamma * (x^ * r + d) + beta.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "batch_norm.h"
#include "norm.h"
#include "finite.glsl"
#include "norm/inverse_deviation.glsl"
#include "norm/moments.glsl"

layout(local_size_x_id = 0) in;

PUSH_CONSTANTS(BatchRenormForward, push)

layout(std430, set = 0, binding = 0) readonly buffer AllMoments { uvec4 all_moments[]; };
layout(std430, set = 0, binding = 1) buffer MovingMean { float moving_mean[]; };
layout(std430, set = 0, binding = 2) buffer MovingDeviation { float moving_deviation[]; };
layout(std430, set = 0, binding = 3) readonly buffer Gamma { float gammas[]; };
layout(std430, set = 0, binding = 4) readonly buffer Beta { float betas[]; };
layout(std430, set = 0, binding = 5) writeonly buffer R { float r_of[]; };
layout(std430, set = 0, binding = 6) writeonly buffer D { float d_of[]; };
layout(std430, set = 0, binding = 7) writeonly buffer Scale { float scale[]; };
layout(std430, set = 0, binding = 8) writeonly buffer Shift { float shift[]; };
layout(std430, set = 0, binding = 9) writeonly buffer BatchMean { float batch_mean[]; };
layout(std430, set = 0, binding = 10) writeonly buffer BatchDeviation { float batch_deviations[]; };
layout(std430, set = 0, binding = 11) readonly buffer Mean { float mean[]; };
layout(std430, set = 0, binding = 12) readonly buffer InvStd { float inv_std[]; };

float square_root(float v) { return 1 / inverse_deviation(v); }

// clamp() may turn a NaN into a number.
float clipped(float value, float low, float high) { return value < low ? low : value > high ? high : value; }

void correct(uint channel) {
    Moments moments = unpacked(all_moments[push.moments_first + channel]);
    const float old_mean = moving_mean[push.moving_mean_first + channel];
    const float old_deviation = moving_deviation[push.moving_deviation_first + channel];
    precise const float variance = moments.squares / max(float(moments.count), 1) + push.epsilon;
    float deviation = square_root(variance);
    float unbiased = moments.squares / max(float(moments.count) - 1, 1);
    if (!is_finite(variance)) {  // what finalize.comp found may be more
        moments.high = mean[push.mean_first + channel];
        moments.low = mean[push.mean_first + push.channels + channel];
        deviation = 1 / inv_std[push.inv_std_first + channel];
        unbiased = deviation * deviation * (float(moments.count) / max(float(moments.count) - 1, 1));
    }
    precise const float moving_variance = old_deviation + push.epsilon;
    const float S = push.variances == 1 ? square_root(moving_variance) : old_deviation;
    const float r = clipped(deviation / S, push.r_min, push.r_max);
    precise const float from_high = moments.high - old_mean;
    precise const float distance = from_high + moments.low;
    const float d = clipped(distance / S, -push.d_max, push.d_max);
    r_of[push.r_first + channel] = r;
    d_of[push.d_first + channel] = d;

    const float gamma = (push.given & renorm_gamma) != 0 ? gammas[push.gamma_first + channel] : 1;
    const float beta = (push.given & renorm_beta) != 0 ? betas[push.beta_first + channel] : 0;
    precise const float offset = gamma * d + beta;
    scale[push.scale_first + channel] = gamma * r;
    shift[push.shift_first + channel] = offset;

    const float batch_deviation = push.variances == 1 ? unbiased : deviation;
    if (push.staged == 1) {
        batch_mean[push.batch_mean_first + channel] = moments.high;
        batch_deviations[push.batch_deviation_first + channel] =
            moments.count == 0 ? norm_nothing_staged : batch_deviation;
        return;
    }
    if (moments.count == 0) return;
    precise const float new_mean = push.keep * old_mean + push.take * moments.high;
    precise const float new_deviation = push.keep * old_deviation + push.take * batch_deviation;
    moving_mean[push.moving_mean_first + channel] = new_mean;
    moving_deviation[push.moving_deviation_first + channel] = new_deviation;
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint channel = gl_GlobalInvocationID.x; channel < push.channels; channel += stride) correct(channel);
}
