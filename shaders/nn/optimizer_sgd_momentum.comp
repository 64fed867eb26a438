// SGD with momentum in PyTorch's form: v = momentum * v + g + weight_decay * p; p -= learning_rate * v. The velocity v is
// the first moment. Nesterov's goes on: p -= learning_rate * (g + weight_decay * p + momentum * v).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/optimizer.glsl"

layout(constant_id = 2) const bool nesterov = false;

vec4 change(uint i, vec4 p, vec4 g, bool sound) {
    g += push.weight_decay * p;
    const vec4 old = LOAD(old_first_moment, i), v = saturate(push.beta1 * old + g);
    first_moment[i] = sound ? v : old;
    return push.rate * (nesterov ? g + push.beta1 * v : v);
}
