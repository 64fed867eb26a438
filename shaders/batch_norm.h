// Push constants of kernels that work on the channels of batch normalization and its relatives, shared by C++ and GLSL.
// Each "first" is an index into its binding, in elements.
#ifndef VKNORM_SHADERS_BATCH_NORM_H
#define VKNORM_SHADERS_BATCH_NORM_H

#include "types.h"

#ifdef __cplusplus
namespace vknorm::shaders {
#endif

// Which optional arguments are there.
const uint fold_bias = 1;
const uint fold_gamma = 2;
const uint fold_beta = 4;

struct FoldBatchNorm {
    uint weights;  // of all channels
    uint weights_per_channel;
    uint channels;
    uint given;  // of fold_bias, fold_gamma, fold_beta
    float epsilon;
    uint weight_first;
    uint bias_first;
    uint gamma_first;
    uint beta_first;
    uint running_mean_first;
    uint running_var_first;
    uint folded_weight_first;
    uint folded_bias_first;
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
