// The end of a step's measurements, by one workgroup: mean loss, correct rows, gradient norm; decides whether the step
// is sound, and by what its gradient is scaled. A step that is not makes the run diverged, for good; the words of its layers are copied behind the record and
// reset for the next step.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "finite.glsl"
#include "nn.h"

layout(local_size_x_id = 0) in;

layout(std430, set = 0, binding = 0) readonly buffer Losses { RowLoss losses[]; };
layout(std430, set = 0, binding = 1) readonly buffer Partials { float partials[]; };
layout(std430, set = 0, binding = 2) readonly buffer Running { float running[]; };
layout(std430, set = 0, binding = 3) buffer Divergence { uint divergence[]; };
layout(std430, set = 0, binding = 4) writeonly buffer Record {
    StepRecord record;
    uint words[];
};
layout(std430, set = 0, binding = 5) readonly buffer Saved { float saved[]; };

PUSH_CONSTANTS(StepSummary, p)

struct Share {
    float loss;
    float squares;
    uint correct;
    uint first_running;
    uint first_saved;
};
shared Share shares[gl_WorkGroupSize.x];

void main() {
    const uint lane = gl_LocalInvocationID.x, lanes = gl_WorkGroupSize.x;
    Share sum = Share(0, 0, 0, all_finite, all_finite);
    for (uint i = lane; i < p.rows; i += lanes) {
        sum.loss += losses[i].loss;
        sum.correct += losses[i].correct;
    }
    for (uint i = lane; i < gradient_slots; i += lanes) sum.squares += partials[i];
    for (uint i = lane; i < p.running; i += lanes)
        if (!is_finite(running[i])) sum.first_running = min(sum.first_running, i);
    for (uint i = lane; i < p.saved; i += lanes)
        if (!is_finite(saved[i])) sum.first_saved = min(sum.first_saved, i);
    shares[lane] = sum;
    barrier();
    if (lane != 0) return;

    for (uint i = 1; i < lanes; ++i) {
        sum.loss += shares[i].loss;
        sum.squares += shares[i].squares;
        sum.correct += shares[i].correct;
        sum.first_running = min(sum.first_running, shares[i].first_running);
        sum.first_saved = min(sum.first_saved, shares[i].first_saved);
    }
    record.loss = sum.loss / p.weight_sum;
    record.correct = sum.correct;
    const float norm = sqrt(sum.squares);
    record.gradient_norm = norm;
    record.first_running = sum.first_running;
    record.first_saved = sum.first_saved;

    const bool refuses = sum.first_running != all_finite && divergence[0] == 0;
    divergence[divergence_refused] = refuses ? 1 : 0;
    if (refuses) ++divergence[divergence_all_refused];
    // As torch.nn.utils.clip_grad_norm_.
    const float scale = p.max_gradient_norm > 0 ? min(p.max_gradient_norm / (norm + 1e-6), 1.0) : 1.0;
    divergence[divergence_gradient_scale] = floatBitsToUint(scale);
    bool sound = is_finite(sum.loss) && is_finite(sum.squares) && sum.first_saved == all_finite &&
                 (p.guard == 1 || sum.first_running == all_finite);
    for (uint i = 0; i < p.layers; ++i) sound = sound && divergence[divergence_header + i] == all_finite;
    if (!sound && divergence[0] == 0) {
        divergence[0] = 1;
        divergence[divergence_step] = p.step;
    }
    for (uint i = 0; i < divergence_header; ++i) words[i] = divergence[i];
    for (uint i = divergence_header; i < divergence_header + p.layers; ++i) {
        words[i] = divergence[i];
        divergence[i] = all_finite;
    }
}
