// Commits a step, or nothing of it when the network has diverged. Parameters, gradient and the optimizer's state are
// flat buffers; the padding in them is zero and stays so. The running statistics have two copies: norms update
// `working`; a sound step copies it to `committed`, a diverged one back.
//
// SGD in PyTorch's form: v = momentum * v + g + weight_decay * p; p -= learning_rate * v.
// Adam: Kingma & Ba, 2015, algorithm 1, with weight decay added to the gradient, as torch.optim.Adam.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "network.h"

layout(local_size_x_id = 0) in;
const uint sgd = 0, sgd_momentum = 1, adam = 2;
layout(constant_id = 1) const uint kind = sgd;

layout(std430, set = 0, binding = 0) buffer Parameters { vec4 parameters[]; };
layout(std430, set = 0, binding = 1) readonly buffer Gradient { vec4 gradient[]; };
layout(std430, set = 0, binding = 2) buffer First { vec4 first_moment[]; };
layout(std430, set = 0, binding = 3) buffer Second { vec4 second_moment[]; };
layout(std430, set = 0, binding = 4) readonly buffer Health { uint health[]; };
layout(std430, set = 0, binding = 5) buffer Working { uint working[]; };
layout(std430, set = 0, binding = 6) buffer Committed { uint committed[]; };

layout(push_constant) uniform Push { Optimizer p; };

// A huge step saturates instead of leaving an infinity that no later step could repair.
vec4 saturate(vec4 x) { return clamp(x, -3.4028234e38, 3.4028234e38); }

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    if (health[0] != 0) {
        for (uint i = gl_GlobalInvocationID.x; i < p.running_words; i += stride) working[i] = committed[i];
        return;
    }
    for (uint i = gl_GlobalInvocationID.x; i < p.running_words; i += stride) committed[i] = working[i];
    for (uint i = gl_GlobalInvocationID.x; i < p.vectors; i += stride) {
        const vec4 g = gradient[i] + p.weight_decay * parameters[i];
        if (kind == sgd) {
            parameters[i] = saturate(parameters[i] - p.rate * g);
        } else if (kind == sgd_momentum) {
            const vec4 v = saturate(p.beta1 * first_moment[i] + g);
            first_moment[i] = v;
            parameters[i] = saturate(parameters[i] - p.rate * v);
        } else {
            const vec4 m = saturate(p.beta1 * first_moment[i] + (1 - p.beta1) * g);
            const vec4 v = saturate(p.beta2 * second_moment[i] + (1 - p.beta2) * g * g);
            first_moment[i] = m;
            second_moment[i] = v;
            parameters[i] = saturate(parameters[i] - p.rate * m / (sqrt(v) * p.correction2 + p.epsilon));
        }
    }
}
