// Push constants of the batch normalization kernels, shared by C++ and GLSL. Each "first" is an index into its binding,
// in elements, except partials_first: in partials.
#ifndef VKNORM_SHADERS_BATCH_NORM_H
#define VKNORM_SHADERS_BATCH_NORM_H

#include "types.h"

#ifdef __cplusplus
namespace vknorm::shaders {
#endif

// How strands run through one slice: see batch_norm_walk.glsl.
struct BatchNormWalk {
    uint channels;       // of the slice
    uint values;         // of one channel in the slice
    uint span;           // values of a channel that are adjacent: positions of the slice
    uint channel_pitch;  // elements from one channel to the next
    uint image_pitch;    // elements from one image to the next
    uint lane_bits;      // 2^lane_bits strands share a chunk
    uint blocks;         // of a strand, at most
    uint strands;        // per channel
    uint chunks_inner;   // 1: neighbouring work items take the chunks of a channel, 0: the channels of a chunk
    uint inner;          // how many of those there are
    uint step_address;   // from a block of a strand to its next, unless the row ends in between
    uint step_position;  // the same, within the row
};

// Which of an operation's sixteen bytes per strand a kernel writes or merges.
struct BatchNormPartials {
    uint first;
    uint pitch;  // partials of one channel
};

// Where the statistics of the slice's first channel stand: see batch_norm_normalize.glsl.
struct BatchNormChannels {
    uint low;  // elements from the mean to what its rounding lost: all channels
    uint mean_first;
    uint deviation_first;
    float epsilon;
};

struct BatchNormStatistics {
    BatchNormWalk walk;
    BatchNormPartials partials;
    uint x_first;
    uint counts;       // 1: this dispatch counts the batch
    uint count_first;
};

struct BatchNormFinalize {
    BatchNormPartials partials;
    uint channels;  // of this dispatch
    uint low;       // elements from the mean to what its rounding lost: all channels
    uint mean_first;
    uint inv_std_first;
    uint running_mean_first;
    uint running_var_first;
    uint count_first;
    uint update;      // 1: running statistics are updated
    uint cumulative;  // 1: with weight 1 / num_batches_tracked instead of `take`
    float take;       // weight of the batch in the running statistics
    float keep;       // weight of their old value
    float values;     // of one channel
    float divisor;    // of the sum of squares, for the running variance
    float epsilon;
};

struct BatchNormApply {
    BatchNormWalk walk;
    BatchNormChannels channels;
    uint x_first;
    uint y_first;
    uint gamma_first;
    uint beta_first;
};

struct BatchNormBackwardSums {
    BatchNormWalk walk;
    BatchNormChannels channels;
    BatchNormPartials partials;
    uint x_first;
    uint dy_first;
};

struct BatchNormBackwardFinalize {
    BatchNormPartials partials;
    uint channels;
    uint give_dgamma;  // 1: dgamma is wanted
    uint give_dbeta;
    uint give_means;
    uint dgamma_first;
    uint dbeta_first;
    uint means_first;  // [C] pairs: mean of dy, mean of dy * x^
    float values;      // of one channel
};

struct BatchNormBackwardApply {
    BatchNormWalk walk;
    BatchNormChannels channels;
    uint x_first;
    uint dy_first;
    uint dx_first;
    uint gamma_first;
    uint means_first;
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
