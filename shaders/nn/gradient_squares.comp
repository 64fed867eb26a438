// Partial sums of squares of the gradient: slot s of gradient_slots takes the vectors s, s + gradient_slots, ...; the
// same bits whatever the workgroup.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "nn.h"

layout(local_size_x_id = 0) in;

#ifdef TEXELS
layout(set = 0, binding = 0) uniform samplerBuffer gradient;
vec4 gradient_at(uint i) { return texelFetch(gradient, int(i)); }
#else
layout(std430, set = 0, binding = 0) readonly buffer Gradient { vec4 gradient[]; };
vec4 gradient_at(uint i) { return gradient[i]; }
#endif
layout(std430, set = 0, binding = 1) writeonly buffer Partials { float partials[]; };

PUSH_CONSTANTS(GradientSquares, p)

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint slot = gl_GlobalInvocationID.x; slot < gradient_slots; slot += stride) {
        float sum = 0;
        for (uint i = slot; i < p.vectors; i += gradient_slots) {
            const vec4 g = gradient_at(i);
            sum += dot(g, g);
        }
        partials[slot] = sum;
    }
}
