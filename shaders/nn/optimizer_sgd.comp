// SGD without momentum: p -= learning_rate * (g + weight_decay * p).
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/optimizer.glsl"

vec4 change(uint i, vec4 p, vec4 g, bool sound) { return push.rate * (g + push.weight_decay * p); }
