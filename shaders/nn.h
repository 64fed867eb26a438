// Push constants, numbers and records of the kernels that a network has beside its norms, shared by C++ and GLSL.
#ifndef VKNORM_SHADERS_NN_H
#define VKNORM_SHADERS_NN_H

#include "types.h"

#ifdef __cplusplus
namespace vknorm::shaders {
#endif

struct Gemm {
    uint rows;     // of c
    uint columns;  // of c
    uint inner;    // terms of each sum
    uint tiles_across;  // tiles side by side in c
    uint first_tile;    // of this dispatch
};

// The activation functions.
const uint activation_identity = 0;
const uint activation_relu = 1;
const uint activation_tanh = 2;
const uint activation_sigmoid = 3;

struct Activation {
    uint elements;
    uint units;  // of a row
    uint word;   // where the first unit that is not finite is told
};

struct Add {
    uint elements;
};

// What softmax_cross_entropy.comp gives: losses, those and the gradient, or the probabilities.
const uint softmax_gives_loss = 0;
const uint softmax_gives_gradient = 1;
const uint softmax_gives_probabilities = 2;

struct SoftmaxCrossEntropy {
    uint rows;
    uint classes;
    uint first_loss;  // where the loss of row 0 goes
    uint word;        // where the first class that is not finite is told
    float scale;      // of the gradient: 1 / the sum of the rows' weights
    float smoothing;  // part of a row's target that all classes share
};

// What the loss kernel leaves per row.
struct RowLoss {
    float loss;    // nats; NaN when a logit is not finite
    uint correct;  // 1: the first largest logit is the label's
};

// Partial sums of the gradient's squares.
const uint gradient_slots = 1024;

struct GradientSquares {
    uint vectors;  // of four floats
};

// What an optimizer has to know of a step.
struct StepVerdict {
    uint diverged;
    uint refused;          // its running statistics are
    float gradient_scale;
};

// Whether a run has diverged, in words: the verdict on the step at hand, the low 32 bits of the step that diverged, of how
// many steps the running statistics were refused; then one word per layer, the lowest unit that showed a value that is not
// finite.
const uint divergence_header = 5;
const uint divergence_refused = 1;
const uint divergence_gradient_scale = 2;
const uint divergence_step = 3;
const uint divergence_all_refused = 4;
// In place of the index of what is not finite.
const uint all_finite = 0xffffffff;

// Result of a training step. The words of divergence follow it.
struct StepRecord {
    float loss;           // mean over the batch
    uint correct;         // rows
    float gradient_norm;
    uint first_running;   // first running statistic that is not finite, else all_finite
    uint first_saved;     // first number that a norm saved of the batch, likewise
};

struct StepSummary {
    uint rows;
    float weight_sum;  // of the rows
    uint running;  // running statistics
    uint saved;    // numbers that norms saved of the batch
    uint layers;   // words of divergence that belong to layers
    uint step;     // low 32 bits of its number
    uint guard;    // 1: running statistics that are not finite are refused, and no divergence
    float max_gradient_norm;  // that the gradient may have unscaled; 0: any
};

struct Optimizer {
    uint first;          // vector and word of this dispatch
    uint vectors;        // of four parameters
    uint running_words;  // of the running statistics and their counters
    uint verdict;        // where it begins
    float rate;          // SGD: learning rate; Adam: learning_rate / (1 - beta1^t)
    float weight_decay;  // AdamW: times the learning rate
    float beta1;         // SGD: momentum
    float beta2;
    float correction2;   // Adam: 1 / sqrt(1 - beta2^t)
    float epsilon;
};

// A probe's result, in words: the shift of its sums, the values of the six ranks, then one part per workgroup, each of
// probe_part words and the bins of its histogram.
const uint probe_most_bins = 256;
const uint probe_header = 7;
const uint probe_part = 6;  // finite values, others, minimum, maximum, sum and sum of squares of value - shift

struct Probe {
    uint elements;        // values that are measured
    uint first;           // index of the first one
    uint stride;          // from one to the next
    uint bins;
    float low;
    float bins_per_unit;  // bins / (high - low)
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
