// Push constants of the normalization kernels, shared by C++ and GLSL. Each "first" is an index into its binding, in
// elements, unless stated.
#ifndef VKNORM_SHADERS_NORM_H
#define VKNORM_SHADERS_NORM_H

#include "types.h"

#ifdef __cplusplus
namespace vknorm::shaders {
#endif

// How values become partials and partials one result, in an order that depends on shapes only: C++ plans by these
// numbers, kernels follow them.
const uint norm_block_values = 4;       // values that an invocation reads at once
const uint norm_partials_alone = 8;     // partials of a set that one invocation of a GPU merges by itself
const uint norm_branch = 16;            // invocations whose results are merged at once, on each level of the tree
const uint norm_partials_branch = 128;  // partials of a set that so many invocations merge, not more
const uint norm_merge_workgroup = 128;  // invocations of the largest tree: every device has them

// How a kernel's invocations run through a slice, as a specialization constant: see norm/walk.glsl.
const uint norm_aligned = 1;       // blocks are whole and aligned; addresses and pitches count blocks, not elements
const uint norm_adjacent = 2;      // an invocation has four adjacent elements of an image, each of a strand of its own
const uint norm_split = 4;         // such elements are positions of channels; else channels of one position
const uint norm_across = 8;        // strands run through the images; else along a row
const uint norm_whole_rows = 16;   // a strand is a row: invocations are counted by channels
const uint norm_ghosts = 32;       // samples have several images: which image it is takes a division
const uint norm_side_by_side = 64; // what four adjacent values are normalized with is adjacent and aligned, too
const uint norm_paired = 128;      // two blocks are aligned as one
const uint norm_of_a_row = 256;    // four adjacent elements are four values of one channel that follow each other

// What a kernel has to do, as a specialization constant: see norm/features.glsl.
const uint norm_gamma = 1;
const uint norm_beta = 2;
const uint norm_by_position = 4;  // gamma and beta are those of a position, not of a channel
const uint norm_by_image = 8;     // statistics are those of an image; in columns only
const uint norm_residual = 16;
const uint norm_relu = 32;
const uint norm_mask = 64;   // which values the ReLU let through is written forward and read backward
const uint norm_valid = 128;
const uint norm_health = 256;
const uint norm_x = 512;           // backward: x is read
const uint norm_dx = 1024;         // backward: dx is wanted
const uint norm_dresidual = 2048;  // backward: dresidual is wanted
const uint norm_weighted = 4096;   // backward: dy counts times gamma
const uint norm_dy = 8192;         // double backward: dy is read
const uint norm_ddx = 16384;       // double backward: so is the gradient of dx
const uint norm_running = 32768;   // the running statistics are updated
const uint norm_cumulative = 65536;  // with weight 1 / num_batches_tracked instead of `take`
const uint norm_count = 131072;    // the batch is counted, or how many of its values are valid
const uint norm_output = 262144;   // backward: y tells what the ReLU let through

// What the statistics are that a kernel reads: a mean and a deviation for each set. The odd ones are constants.
const uint norm_of_batch = 0;    // [2, sets], the rounded mean and what its rounding lost; inv_std
const uint norm_of_running = 1;  // running_mean; running_var
const uint norm_of_squares = 2;  // no mean; inv_rms
const uint norm_of_moving = 3;   // moving mean; moving standard deviation

// What a finalizing kernel gives.
const uint norm_gives_mean = 1;
const uint norm_gives_dgamma = 8;
const uint norm_gives_dbeta = 16;
const uint norm_gives_means = 32;
const uint norm_gives_inv_std = 64;

// What a merging kernel merges.
const uint norm_merges_moments = 0;
const uint norm_merges_sums = 1;
const uint norm_merges_average = 2;

// Words of the report on a channel.
const uint norm_health_words = 4;
// In place of a batch's variance, where the batch has too few values for the running statistics.
const float norm_nothing_staged = -1;

// How invocations run through one slice: see norm/walk.glsl. Pitches, and where tensors begin, count elements, or blocks
// of four where these are aligned.
struct NormWalk {
    uint width;         // in x: strands of a row, channels, or elements of an image
    uint height;        // in y
    uint lane_bits;     // 2^lane_bits neighbouring strands share a chunk
    uint blocks;        // of an invocation, at most
    uint values;        // of the row, or the images, that strands run through
    uint positions;     // of a channel in an image, always in values
    uint value_pitch;   // from one value of a strand to its next, unless they are adjacent
    uint z_pitch;       // from one row or position to the next
    uint z_of_sample;   // how many there are in a sample, with norm_ghosts
    uint sample_pitch;  // from one sample to the next
    uint value_first;   // the slice's first among the values of a channel
};

// Where a kernel writes its sixteen bytes per strand, in partials.
struct NormStrands {
    uint first;
    uint pitch;           // of one channel
    uint sample_pitch;    // of the channels of one sample
    uint z_pitch;         // of a row or position that z counts
    uint position_pitch;  // of a position, with norm_split
};

// The partials that are merged into one result for each of `sets` sets: for set s the items i < items at
// first + s * set_pitch + (i / run) * run_pitch + i % run.
struct NormPartials {
    uint sets;
    uint first;
    uint set_pitch;
    uint items;
    uint run;
    uint run_pitch;
};

// Where the statistics of the slice stand.
struct NormSets {
    uint first_channel;  // of the slice
    uint group;          // channels that share statistics
    uint sample_sets;    // sets of one sample
    uint low;            // elements from a mean to what its rounding lost: all sets
    uint mean_first;     // of the slice's first sample
    uint deviation_first;
    float epsilon;
};

// Bits [channels][values], every channel from a new word: where a ReLU let through.
struct NormMask {
    uint first;
    uint pitch;  // words of a channel
};

struct NormStatistics {
    NormWalk walk;
    NormStrands strands;
    uint x_first;
    uint batches_first;
    uint valid_first;
    uint health_first;  // of the slice's first channel
};

// What becomes of the moments of sets, and where: see norm/finish.glsl.
struct NormFinish {
    uint low;  // elements from a mean to what its rounding lost: all sets
    uint mean_first;
    uint inv_std_first;
    uint running_mean_first;
    uint running_var_first;
    uint gives;             // of mean, inv_std
    uint least;             // values that an update of the running statistics needs
    uint root_mean_square;  // 1: inv_std is about 0, not about the mean
    float take;             // weight of the batch in the running statistics
    float keep;             // weight of their old value
    float unbiased;         // 1: the running variance takes squares / (count - 1)
    float epsilon;
    uint staged;  // 1: in place of the running statistics those of the batch are written, for NormCommit
};

struct NormFinalize {
    NormPartials partials;
    NormFinish finish;
    uint batches_first;
    uint count_first;
    uint health_first;
    // Of x, where it is at hand, for sets out of range: see norm/measure_again.glsl.
    uint x_first;
    uint valid_first;
    uint first_set;     // of the dispatch
    uint images;        // of a sample
    uint channels;
    uint positions;
    uint group;         // channels of a set
    uint channels_last;  // 1: they are adjacent in x
};

// The running statistics take in what was staged of a batch.
struct NormCommit {
    uint channels;
    uint batch_mean_first;
    uint batch_var_first;
    uint updates;  // 1: there are running statistics; else the batch is only counted
    uint running_mean_first;
    uint running_var_first;
    uint counts;   // 1: there is a num_batches_tracked
    uint batches_first;
    uint refuses;  // 1: there is a num_batches_refused
    uint refused_first;
    uint cumulative;
    float take;
    float keep;
};

struct NormMerge {
    NormPartials partials;
    uint result_first;  // in partials
    uint accumulate;    // 1: merge onto what is there
};

struct NormApply {
    NormWalk walk;
    NormSets sets;
    NormMask mask;
    uint x_first;
    uint y_first;
    uint gamma_first;
    uint beta_first;
    uint residual_first;
    uint valid_first;
};

struct NormBackwardSums {
    NormWalk walk;
    NormSets sets;
    NormMask mask;
    NormStrands strands;
    uint x_first;
    uint dy_first;
    uint y_first;
    uint gamma_first;
    uint beta_first;
    uint valid_first;
};

// A tensor in one slice that one dispatch normalizes: see norm/fused.glsl.
struct NormFused {
    uint sets;
    uint rows;         // of a set: the images of a channel, or the channels of a group
    uint row_pitch;    // from one to the next, in blocks as the next
    uint set_pitch;
    uint sample_sets;  // sets until parameters repeat
    uint group;        // channels of a set
    uint values;       // of a row
    uint lane_bits;    // from here on as in NormWalk
    uint blocks;
    uint strands;      // of a row
    uint leaves;       // of the tree that merges a set's: each takes every leaves-th
};

struct NormFusedForward {
    NormFused shape;
    uint x_first;  // in blocks, as the next
    uint y_first;
    uint gamma_first;
    uint beta_first;
    uint batches_first;
    NormFinish finish;
};

struct NormFusedBackward {
    NormFused shape;
    NormSets sets;
    uint x_first;  // in blocks, as the next two
    uint dy_first;
    uint dx_first;
    uint gamma_first;
    uint beta_first;
    uint dgamma_first;
    uint dbeta_first;
    uint gives;       // of dgamma, dbeta
    uint accumulate;  // 1: dgamma and dbeta are added to
    uint centred;     // as in NormBackwardFinalize
    float values;     // of a set
};

struct NormBackwardFinalize {
    NormPartials partials;
    uint gives;       // of dgamma, dbeta, means
    uint accumulate;  // 1: dgamma and dbeta are added to
    uint dgamma_first;
    uint dbeta_first;
    uint means_first;   // pairs: mean of q, mean of q * x^
    uint weights_first;
    uint weight_sets;   // sets until the weights repeat; 0: no weights
    uint weight_shift;  // of the dispatch's first set within them
    uint weight_items;  // weights of a set: one for each run of partials
    uint count_first;
    uint count_pitch;   // words from one set's count to the next
    uint counted;       // 1: the number of values is read
    uint centred;       // 0: the first mean is 0
    float values;       // of one set
};

struct NormBackwardApply {
    NormWalk walk;
    NormSets sets;
    NormMask mask;
    uint x_first;
    uint dy_first;
    uint y_first;
    uint dx_first;
    uint dresidual_first;
    uint gamma_first;
    uint beta_first;
    uint means_first;  // in pairs
    uint valid_first;
};

// Means of double backward are those of channels, the first of each pair, from the slice's first channel on.
struct NormProducts {
    NormWalk walk;
    NormStrands strands;
    uint dy_first;
    uint ddx_first;
    uint dy_means_first;
    uint ddx_means_first;
};

struct NormCombine {
    NormWalk walk;
    NormSets sets;
    uint x_first;
    uint dy_first;
    uint ddx_first;
    uint out_first;
    uint coefficients_first;  // of the slice's first channel
    uint dy_means_first;
    uint ddx_means_first;
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
