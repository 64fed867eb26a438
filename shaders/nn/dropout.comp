// y = scale * x where an element stays, 0 * x where it is dropped. y may be x.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn.h"
#include "nn/philox.glsl"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 0) readonly buffer XVectors { vec4 x_vectors[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 1) writeonly buffer YVectors { vec4 y_vectors[]; };

PUSH_CONSTANTS(Dropout, p)

// Of four elements beside each other.
vec4 factors(uint vector) {
    const uvec4 words = philox(uvec4(vector, p.step_low, p.step_high, p.layer), uvec2(p.seed_low, p.seed_high));
    return mix(vec4(0), vec4(p.scale), greaterThanEqual(words, uvec4(p.threshold)));
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x, vectors = p.elements / 4;
    for (uint i = gl_GlobalInvocationID.x; i < vectors; i += stride) y_vectors[i] = factors(i) * x_vectors[i];
    const uint rest = 4 * vectors + gl_GlobalInvocationID.x;
    if (rest < p.elements) y[rest] = factors(vectors)[gl_GlobalInvocationID.x] * x[rest];
}
