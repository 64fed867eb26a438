// y = f(x), four at a time and then the rest; on demand, tells the lowest unit where x is not finite.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/activation.glsl"

layout(local_size_x_id = 0) in;
layout(constant_id = 2) const bool tell = false;

layout(std430, set = 0, binding = 0) readonly buffer X { float x[]; };
layout(std430, set = 0, binding = 0) readonly buffer XVectors { vec4 x_vectors[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 1) writeonly buffer YVectors { vec4 y_vectors[]; };
layout(std430, set = 0, binding = 2) buffer FirstNonFinite { uint first_non_finite[]; };

PUSH_CONSTANTS(Activation, p)

float forward(uint element, float value) {
    if (tell && !is_finite(value)) atomicMin(first_non_finite[p.word], element % p.units);
    return activate(value);
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x, vectors = p.elements / 4;
    for (uint i = gl_GlobalInvocationID.x; i < vectors; i += stride) {
        const vec4 v = x_vectors[i];
        y_vectors[i] =
            vec4(forward(4 * i, v.x), forward(4 * i + 1, v.y), forward(4 * i + 2, v.z), forward(4 * i + 3, v.w));
    }
    const uint rest = 4 * vectors + gl_GlobalInvocationID.x;
    if (rest < p.elements) y[rest] = forward(rest, x[rest]);
}
