// Adam: Kingma & Ba, 2015, algorithm 1, with weight decay added to the gradient, as torch.optim.Adam; decoupled, of the
// parameters themselves, as torch.optim.AdamW (Loshchilov & Hutter, 2019, algorithm 2).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/optimizer.glsl"

layout(constant_id = 2) const bool decoupled = false;

vec4 change(uint i, vec4 p, vec4 g, bool sound) {
    if (!decoupled) g += push.weight_decay * p;
    const vec4 old_m = LOAD(old_first_moment, i), m = saturate(push.beta1 * old_m + (1 - push.beta1) * g);
    const vec4 old_v = LOAD(old_second_moment, i), v = saturate(push.beta2 * old_v + (1 - push.beta2) * g * g);
    first_moment[i] = sound ? m : old_m;
    second_moment[i] = sound ? v : old_v;
    const vec4 lost = push.rate * m / (sqrt(v) * push.correction2 + push.epsilon);
    return decoupled ? lost + push.weight_decay * p : lost;
}
