// y = x, four floats at a time: the speed limit that other kernels are measured against.
#version 450

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer X { vec4 x[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { vec4 y[]; };

layout(push_constant) uniform Push { uint vectors; };

void main() {
    // Every workgroup has one contiguous run.
    const uint width = gl_WorkGroupSize.x, wave = width * gl_NumWorkGroups.x;
    const uint run = (vectors + wave - 1) / wave * width;
    const uint end = min((gl_WorkGroupID.x + 1) * run, vectors);
    for (uint i = gl_WorkGroupID.x * run + gl_LocalInvocationID.x; i < end; i += width) y[i] = x[i];
}
