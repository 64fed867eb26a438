// y = x, four floats at a time: the speed limit that other kernels are measured against.
#version 450

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { vec4 x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { vec4 y[]; };

layout(push_constant) uniform Push { uint vectors; };

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < vectors; i += stride) y[i] = x[i];
}
