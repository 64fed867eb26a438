// y = scale * x where an element stays, 0 * x where it is dropped. y may be x.
//
// The generator is Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011): integers only, so that every device has the same words.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 0) readonly buffer XVectors { vec4 x_vectors[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 1) writeonly buffer YVectors { vec4 y_vectors[]; };

PUSH_CONSTANTS(Dropout, p)

uvec4 philox(uvec4 counter, uvec2 key) {
    for (uint i = 0; i < 10; ++i) {
        uint high0, low0, high1, low1;
        umulExtended(0xd2511f53u, counter.x, high0, low0);
        umulExtended(0xcd9e8d57u, counter.z, high1, low1);
        counter = uvec4(high1 ^ counter.y ^ key.x, low1, high0 ^ counter.w ^ key.y, low0);
        key += uvec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

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
