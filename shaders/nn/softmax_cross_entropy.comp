// One row per invocation: the losses, those and the gradient of their mean with respect to the logits, or the softmax of
// the logits. With the gradient, tells the lowest class whose logit is not finite.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint gives = softmax_gives_loss;

layout(std430, set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(std430, set = 0, binding = 1) readonly buffer Labels { uint labels[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { float output_values[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Losses { RowLoss losses[]; };
layout(std430, set = 0, binding = 4) buffer FirstNonFinite { uint first_non_finite[]; };

PUSH_CONSTANTS(SoftmaxCrossEntropy, p)

// log(1 + x) for x >= 0, accurate when x is small, where log() only promises an absolute error.
float log1p(float x) { return x < 0.03125 ? x * (1 - x * (1. / 2 - x * (1. / 3 - x / 4))) : log(1 + x); }

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint row = gl_GlobalInvocationID.x; row < p.rows; row += stride) {
        const uint first = row * p.classes;
        uint largest = 0, bad = all_finite;
        for (uint i = 0; i < p.classes; ++i) {
            if (!is_finite(logits[first + i])) bad = min(bad, i);
            if (logits[first + i] > logits[first + largest]) largest = i;
        }
        const float shift = logits[first + largest];
        float others = 0;  // sum of exp(logit - shift) but for the largest, whose term is 1
        for (uint i = 0; i < p.classes; ++i)
            if (i != largest) others += exp(logits[first + i] - shift);

        const bool sound = bad == all_finite;
        const float nan = uintBitsToFloat(0x7fc00000u);
        if (gives != softmax_gives_probabilities) {
            const uint label = labels[row];
            const float loss = log1p(others) + (shift - logits[first + label]);
            losses[p.first_loss + row] = RowLoss(sound ? loss : nan, uint(sound && largest == label));
            if (gives == softmax_gives_gradient) {
                for (uint i = 0; i < p.classes; ++i) {
                    const float probability = exp(logits[first + i] - shift) / (1 + others);
                    output_values[first + i] = sound ? (probability - float(i == label)) * p.scale : nan;
                }
                if (!sound) atomicMin(first_non_finite[p.word], bad);
            }
        } else {
            for (uint i = 0; i < p.classes; ++i)
                output_values[first + i] = sound ? exp(logits[first + i] - shift) / (1 + others) : nan;
        }
    }
}
