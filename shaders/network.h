// Push constants and records of the network's kernels, shared by C++ and GLSL.
#ifndef VKNORM_SHADERS_NETWORK_H
#define VKNORM_SHADERS_NETWORK_H

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

struct Activation {
    uint elements;
    uint units;  // of a row
    uint layer;  // whose word of Health is told
};

struct SoftmaxCrossEntropy {
    uint rows;
    uint classes;
    uint first_result;  // where the results of row 0 go
    uint layer;         // whose word of Health is told
    float scale;        // of the gradient: 1 / rows
};

// What the loss kernel leaves per row.
struct RowResult {
    float loss;    // nats; NaN when a logit is not finite
    uint correct;  // 1: the first largest logit is the label's
};

// Partial sums of the gradient's squares.
#define VKNORM_GRADIENT_SLOTS 1024u

struct GradientSquares {
    uint vectors;  // of four floats
};

// Result of a training step. The words of Health follow it.
struct StepRecord {
    float loss;           // mean over the batch
    uint correct;         // rows
    float gradient_norm;
    uint first_running;   // first running statistic that is not finite, else `healthy`
    uint first_saved;     // first number that a norm saved of the batch, likewise
};

struct StepSummary {
    uint rows;
    uint running;  // running statistics
    uint saved;    // numbers that norms saved of the batch
    uint layers;   // words of Health that belong to layers
    uint step;     // low 32 bits of its number
};

// Words of Health: diverged (0 or 1), low 32 bits of the step that diverged, then one word per layer.
#define VKNORM_HEALTH_HEADER 2
// A layer's word: the lowest unit that showed a value that is not finite, or this.
#define VKNORM_HEALTHY 0xffffffffu

struct Optimizer {
    uint first;          // vector and word of this dispatch
    uint vectors;        // of four parameters
    uint running_words;  // of the running statistics and their counters
    float rate;          // SGD: learning rate; Adam: learning_rate / (1 - beta1^t)
    float weight_decay;
    float beta1;         // SGD: momentum
    float beta2;
    float correction2;   // Adam: 1 / sqrt(1 - beta2^t)
    float epsilon;
};

// A probe's result, in words: the shift of its sums, the values of the six ranks, then one part per workgroup, each of
// VKNORM_PROBE_PART words and the bins of its histogram.
#define VKNORM_PROBE_BINS 256
#define VKNORM_PROBE_RANKS 6
#define VKNORM_PROBE_HEADER 7
#define VKNORM_PROBE_PART 6  // finite values, others, minimum, maximum, sum and sum of squares of value - shift

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
