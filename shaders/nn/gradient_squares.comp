// Partial sums of squares of the gradient: slot s of GRADIENT_SLOTS takes the vectors s, s + GRADIENT_SLOTS, ...; the
// same bits whatever the workgroup.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "network.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer Gradient { vec4 gradient[]; };
layout(std430, set = 0, binding = 1) writeonly buffer Partials { float partials[]; };

layout(push_constant) uniform Push { GradientSquares p; };

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint slot = gl_GlobalInvocationID.x; slot < VKNORM_GRADIENT_SLOTS; slot += stride) {
        float sum = 0;
        for (uint i = slot; i < p.vectors; i += VKNORM_GRADIENT_SLOTS) sum += dot(gradient[i], gradient[i]);
        partials[slot] = sum;
    }
}
