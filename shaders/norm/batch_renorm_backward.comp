// dgamma = r * sum dy * x^ + d * sum dy, and gamma * r, which stands where batch normalization has gamma.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "batch_norm.h"
#include "norm/numbers.glsl"

layout(local_size_x_id = 0) in;

PUSH_CONSTANTS(BatchRenormBackward, push)

// sum dy and sum dy * x^, each as a float32 and what its rounding lost.
layout(std430, set = 0, binding = 0) readonly buffer Sums { vec4 sums[]; };
layout(std430, set = 0, binding = 1) readonly buffer R { float r_of[]; };
layout(std430, set = 0, binding = 2) readonly buffer D { float d_of[]; };
layout(std430, set = 0, binding = 3) readonly buffer Gamma { float gammas[]; };
layout(std430, set = 0, binding = 4) writeonly buffer Scale { float scale[]; };
layout(std430, set = 0, binding = 5) buffer Dgamma { float dgamma[]; };

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint channel = gl_GlobalInvocationID.x; channel < push.channels; channel += stride) {
        const float r = r_of[push.r_first + channel];
        const float gamma = (push.given & renorm_gamma) != 0 ? gammas[push.gamma_first + channel] : 1;
        scale[push.scale_first + channel] = gamma * r;
        if ((push.given & renorm_dgamma) == 0) continue;
        const vec4 of_channel = sums[push.sums_first + channel];
        const float sum_dy = together(of_channel.x, of_channel.y);
        const float sum_dy_x = together(of_channel.z, of_channel.w);
        precise const float gradient = r * sum_dy_x + d_of[push.d_first + channel] * sum_dy;
        const uint at = push.dgamma_first + channel;
        dgamma[at] = push.accumulate == 1 ? dgamma[at] + gradient : gradient;
    }
}
