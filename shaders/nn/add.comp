// y = a + b, four at a time and then the rest.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 0) readonly buffer AVectors { vec4 a_vectors[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 1) readonly buffer BVectors { vec4 b_vectors[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 2) writeonly buffer YVectors { vec4 y_vectors[]; };

PUSH_CONSTANTS(Add, p)

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x, vectors = p.elements / 4;
    for (uint i = gl_GlobalInvocationID.x; i < vectors; i += stride) y_vectors[i] = a_vectors[i] + b_vectors[i];
    const uint rest = 4 * vectors + gl_GlobalInvocationID.x;
    if (rest < p.elements) y[rest] = a[rest] + b[rest];
}
