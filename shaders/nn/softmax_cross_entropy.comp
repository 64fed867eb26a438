// One row per invocation: softmax of the logits, and what the mode asks for.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "network.h"

layout(local_size_x_id = 0) in;
const uint train = 0;    // results, and the gradient of the mean loss with respect to the logits; tells Health
const uint measure = 1;  // results
const uint predict = 2;  // probabilities
layout(constant_id = 1) const uint mode = train;

layout(std430, set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(std430, set = 0, binding = 1) readonly buffer Labels { uint labels[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { float output_values[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Results { RowResult results[]; };
layout(std430, set = 0, binding = 4) buffer Health { uint health[]; };

layout(push_constant) uniform Push { SoftmaxCrossEntropy p; };

// log(1 + x) for x >= 0, accurate when x is small, where log() only promises an absolute error.
float log1p(float x) { return x < 0.03125 ? x * (1 - x * (1. / 2 - x * (1. / 3 - x / 4))) : log(1 + x); }

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint row = gl_GlobalInvocationID.x; row < p.rows; row += stride) {
        const uint first = row * p.classes;
        uint largest = 0, sick = VKNORM_HEALTHY;
        for (uint i = 0; i < p.classes; ++i) {
            if (!is_finite(logits[first + i])) sick = min(sick, i);
            if (logits[first + i] > logits[first + largest]) largest = i;
        }
        const float shift = logits[first + largest];
        float others = 0;  // sum of exp(logit - shift) but for the largest, whose term is 1
        for (uint i = 0; i < p.classes; ++i)
            if (i != largest) others += exp(logits[first + i] - shift);

        const bool healthy = sick == VKNORM_HEALTHY;
        const float nan = uintBitsToFloat(0x7fc00000u);
        if (mode != predict) {
            const uint label = labels[row];
            const float loss = log1p(others) + (shift - logits[first + label]);
            results[p.first_result + row] = RowResult(healthy ? loss : nan, uint(healthy && largest == label));
            if (mode == train) {
                for (uint i = 0; i < p.classes; ++i) {
                    const float probability = exp(logits[first + i] - shift) / (1 + others);
                    output_values[first + i] = healthy ? (probability - float(i == label)) * p.scale : nan;
                }
                if (!healthy) atomicMin(health[VKNORM_HEALTH_HEADER + p.layer], sick);
            }
        } else {
            for (uint i = 0; i < p.classes; ++i)
                output_values[first + i] = healthy ? exp(logits[first + i] - shift) / (1 + others) : nan;
        }
    }
}
