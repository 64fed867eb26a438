// dx = dy * f'(x), from y = f(x); dx may be dy.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn/activation.glsl"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer Y { float y[]; };
layout(std430, set = 0, binding = 0) readonly buffer YVectors { vec4 y_vectors[]; };
layout(std430, set = 0, binding = 1) readonly buffer Dy { float dy[]; };
layout(std430, set = 0, binding = 1) readonly buffer DyVectors { vec4 dy_vectors[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Dx { float dx[]; };
layout(std430, set = 0, binding = 2) writeonly buffer DxVectors { vec4 dx_vectors[]; };

PUSH_CONSTANTS(Activation, p)

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x, vectors = p.elements / 4;
    for (uint i = gl_GlobalInvocationID.x; i < vectors; i += stride) {
        const vec4 value = y_vectors[i], slope = dy_vectors[i];
        dx_vectors[i] = vec4(gradient(value.x, slope.x), gradient(value.y, slope.y), gradient(value.z, slope.z),
                             gradient(value.w, slope.w));
    }
    const uint rest = 4 * vectors + gl_GlobalInvocationID.x;
    if (rest < p.elements) dx[rest] = gradient(y[rest], dy[rest]);
}
