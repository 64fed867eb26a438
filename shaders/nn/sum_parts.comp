// y = the sum of parts of as many elements, in their order.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer Parts { float parts[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Y { float y[]; };

PUSH_CONSTANTS(SumParts, p)

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint i = gl_GlobalInvocationID.x; i < p.elements; i += stride) {
        float sum = 0;
        for (uint part = 0; part < p.parts; ++part) sum += parts[part * p.elements + i];
        y[i] = sum;
    }
}
