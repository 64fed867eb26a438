// Commits a step, or nothing of it when the network has diverged. Parameters, gradient and the optimizer's state are
// flat buffers; the padding in them is zero and stays so. The running statistics have two copies: norms update
// `working`; a sound step copies it to `committed`, a diverged one back.
//
// SGD in PyTorch's form: v = momentum * v + g + weight_decay * p; p -= learning_rate * v.
// Adam: Kingma & Ba, 2015, algorithm 1, with weight decay added to the gradient, as torch.optim.Adam.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "network.h"

// KIND is one of these; a driver may pay for code that a constant leaves out.
#define SGD 0
#define SGD_MOMENTUM 1
#define ADAM 2

layout(local_size_x_id = 0) in;

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
    const bool sound = health[0] == 0;
    const uint i = p.first + gl_GlobalInvocationID.x;
    if (i < p.running_words) {
        const uint word = sound ? working[i] : committed[i];
        working[i] = word;
        committed[i] = word;
    }
    if (i >= p.vectors) return;
    const vec4 old = parameters[i], g = gradient[i] + p.weight_decay * old;
#if KIND == SGD
    const vec4 change = p.rate * g;
#elif KIND == SGD_MOMENTUM
    const vec4 old_v = first_moment[i], v = saturate(p.beta1 * old_v + g), change = p.rate * v;
    first_moment[i] = sound ? v : old_v;
#else
    const vec4 old_m = first_moment[i], m = saturate(p.beta1 * old_m + (1 - p.beta1) * g);
    const vec4 old_v = second_moment[i], v = saturate(p.beta2 * old_v + (1 - p.beta2) * g * g);
    first_moment[i] = sound ? m : old_m;
    second_moment[i] = sound ? v : old_v;
    const vec4 change = p.rate * m / (sqrt(v) * p.correction2 + p.epsilon);
#endif
    parameters[i] = sound ? saturate(old - change) : old;
}
