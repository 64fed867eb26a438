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

// A convolution as a product of matrices: c = the sum over the terms of a times b. A column of c, and a term, are three
// numbers x, y, z: an image, row and position of a picture, or row, column and channel of a kernel. Where something is
// found is a sum of their multiples, counted in floats. The terms with one x and y are a run.
struct Convolution {
    uint rows;     // of c
    uint columns;  // of c
    uint tiles_across;  // as in Gemm
    uint first_tile;
    uint columns_y;  // how many y and z the columns have
    uint columns_z;
    uint stored_z;   // columns whose z is less are stored
    uint terms_y;    // the same of the terms
    uint terms_z;
    uint runs;
    uint part_runs;  // runs whose terms a workgroup adds up: its y says which
    int a_first;
    int a_row;
    int a_x, a_y, a_z;  // of a term
    int b_first;
    int b_column_x, b_column_y, b_column_z;
    int b_x, b_y, b_z;  // of a term
    int c_first;
    int c_row;
    int c_column_x, c_column_y, c_column_z;
    int c_part;
};

// A tensor [images, channels, height, width] to [images, padded height, padded width, channels], beyond whose edges are
// zeros, and channels to whole vectors of four.
struct ChannelsLast {
    uint images;
    uint padded_height;
    uint padded_width;
    uint padding;  // before the tensor's first row, and before its first column
    uint height;
    uint width;
    uint kept_height;  // rows and columns that are copied
    uint kept_width;
    uint channels;
    uint vectors;      // of four channels
    uint image_step;   // from an image of the tensor to the next
    uint channel_step;
};

struct SumParts {
    uint elements;
    uint parts;
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

struct Dropout {
    uint elements;
    uint threshold;  // random words below it drop their element
    float scale;     // of those that stay
    uint seed_low;
    uint seed_high;
    uint step_low;
    uint step_high;
    uint layer;
};

struct Pooling {
    uint runs;           // of what the kernel writes
    uint height;         // of x
    uint width;
    uint output_height;  // of y
    uint output_width;
};

// How average pooling chooses its windows and what it divides their sums by.
const uint average_of_kernel = 0;   // kernel^2, the padding counted
const uint average_of_values = 1;   // how many values there are
const uint average_of_bins = 2;     // the same, in bins of adaptive pooling

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
    uint stride;          // from a row of a unit to the next
    uint positions;       // of a unit in a row
    uint bins;
    float low;
    float bins_per_unit;  // bins / (high - low)
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
