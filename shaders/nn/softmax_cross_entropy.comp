// One row per invocation: the losses, those and the gradient of their mean with respect to the logits, or the softmax of
// the logits. With the gradient, tells the lowest class whose logit is not finite.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint gives = softmax_gives_loss;
layout(constant_id = 2) const bool weighted = false;  // classes are
layout(constant_id = 3) const bool smooth_labels = false;

layout(std430, set = 0, binding = 0) readonly buffer Logits { float logits[]; };
layout(std430, set = 0, binding = 1) readonly buffer Labels { uint labels[]; };
layout(std430, set = 0, binding = 2) writeonly buffer Output { float output_values[]; };
layout(std430, set = 0, binding = 3) writeonly buffer Losses { RowLoss losses[]; };
layout(std430, set = 0, binding = 4) buffer FirstNonFinite { uint first_non_finite[]; };
layout(std430, set = 0, binding = 5) readonly buffer ClassWeights { float class_weights[]; };

PUSH_CONSTANTS(SoftmaxCrossEntropy, p)

// log(1 + x) for x >= 0, accurate when x is small, where log() only promises an absolute error.
float log1p(float x) { return x < 0.03125 ? x * (1 - x * (1. / 2 - x * (1. / 3 - x / 4))) : log(1 + x); }

float weight_of(uint class_) { return weighted ? class_weights[class_] : 1; }

// The loss is -sum of target * log(probability) over the classes; the target of a class is `own` if it is the label's,
// and `share` times its weight.
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
        float weights = 0, distances = 0;  // sums of the classes' weights, and of them times shift - logit
        for (uint i = 0; i < p.classes; ++i) {
            if (i != largest) others += exp(logits[first + i] - shift);
            if (smooth_labels && gives != softmax_gives_probabilities) {
                weights += weight_of(i);
                distances += weight_of(i) * (shift - logits[first + i]);
            }
        }

        const bool sound = bad == all_finite;
        const float nan = uintBitsToFloat(0x7fc00000u);
        if (gives != softmax_gives_probabilities) {
            const uint label = labels[row];
            const float share = smooth_labels ? p.smoothing / p.classes : 0;
            const float own = smooth_labels ? (1 - p.smoothing) * weight_of(label) : weight_of(label);
            const float target = own + share * weights;  // of all classes
            float loss = target * log1p(others) + own * (shift - logits[first + label]);
            if (smooth_labels) loss += share * distances;
            losses[p.first_loss + row] = RowLoss(sound ? loss : nan, uint(sound && largest == label));
            if (gives == softmax_gives_gradient) {
                for (uint i = 0; i < p.classes; ++i) {
                    const float probability = exp(logits[first + i] - shift) / (1 + others);
                    float dlogit = target * probability - own * float(i == label);
                    if (smooth_labels) dlogit -= share * weight_of(i);
                    output_values[first + i] = sound ? dlogit * p.scale : nan;
                }
                if (!sound) atomicMin(first_non_finite[p.word], bad);
            }
        } else {
            for (uint i = 0; i < p.classes; ++i)
                output_values[first + i] = sound ? exp(logits[first + i] - shift) / (1 + others) : nan;
        }
    }
}
