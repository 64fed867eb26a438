// weight' = weight * s and bias' = (bias - running_mean) * s + beta with s = gamma / sqrt(running_var + epsilon).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "batch_norm.h"
#include "norm/inverse_deviation.glsl"

layout(local_size_x_id = 0) in;

PUSH_CONSTANTS(FoldBatchNorm, push)

layout(std430, set = 0, binding = 0) readonly buffer Weight { float weight[]; };
layout(std430, set = 0, binding = 1) readonly buffer Bias { float bias[]; };
layout(std430, set = 0, binding = 2) readonly buffer Gamma { float gamma[]; };
layout(std430, set = 0, binding = 3) readonly buffer Beta { float beta[]; };
layout(std430, set = 0, binding = 4) readonly buffer RunningMean { float running_mean[]; };
layout(std430, set = 0, binding = 5) readonly buffer RunningVar { float running_var[]; };
layout(std430, set = 0, binding = 6) writeonly buffer FoldedWeight { float folded_weight[]; };
layout(std430, set = 0, binding = 7) writeonly buffer FoldedBias { float folded_bias[]; };

float scale_of(uint channel) {
    precise const float variance = running_var[push.running_var_first + channel] + push.epsilon;
    const float inv_std = inverse_deviation(variance);
    return (push.given & fold_gamma) != 0 ? gamma[push.gamma_first + channel] * inv_std : inv_std;
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < push.weights; i += stride) {
        const float scale = scale_of(i / push.weights_per_channel);
        folded_weight[push.folded_weight_first + i] = weight[push.weight_first + i] * scale;
    }
    for (uint i = gl_GlobalInvocationID.x; i < push.channels; i += stride) {
        float centred = -running_mean[push.running_mean_first + i];
        if ((push.given & fold_bias) != 0) centred += bias[push.bias_first + i];
        precise float folded = centred * scale_of(i);
        if ((push.given & fold_beta) != 0) folded += beta[push.beta_first + i];
        folded_bias[push.folded_bias_first + i] = folded;
    }
}
