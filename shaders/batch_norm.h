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

// What the kernels of batch renormalization are given and give.
const uint renorm_gamma = 1;
const uint renorm_beta = 2;
const uint renorm_dgamma = 4;

struct BatchRenormForward {
    uint channels;
    uint given;      // of renorm_gamma, renorm_beta
    uint variances;  // 1: the moving statistic is a variance
    float keep;      // weight of the old moving statistics
    float take;      // weight of the batch
    float epsilon;
    float r_min;
    float r_max;
    float d_max;
    uint moments_first;  // in ChannelMoments
    uint moving_mean_first;
    uint moving_deviation_first;
    uint gamma_first;
    uint beta_first;
    uint r_first;
    uint d_first;
    uint scale_first;
    uint shift_first;
    uint staged;  // 1: in place of the moving statistics those of the batch are written, for NormCommit
    uint batch_mean_first;
    uint batch_deviation_first;
    uint mean_first;
    uint inv_std_first;
};

struct BatchRenormBackward {
    uint channels;
    uint given;       // of renorm_gamma, renorm_dgamma
    uint accumulate;  // 1: dgamma is added to
    uint sums_first;  // in ChannelSums
    uint r_first;
    uint d_first;
    uint gamma_first;
    uint scale_first;
    uint dgamma_first;
};

// What the kernel of double backward's coefficients is given and gives.
const uint double_gamma = 1;
const uint double_ddgamma = 2;
const uint double_ddbeta = 4;
const uint double_dy = 8;     // means of dy
const uint double_ddx = 16;   // means of ddx
const uint double_both = 32;  // means of the products of both
const uint double_grad_gamma = 64;

// Means stand in pairs.
struct BatchNormDoubleCoefficients {
    uint channels;
    uint given;    // of the above
    float values;  // of a channel
    uint dy_means_first;
    uint ddx_means_first;
    uint product_means_first;
    uint inv_std_first;
    uint gamma_first;
    uint ddgamma_first;
    uint ddbeta_first;
    uint of_grad_dy_first;  // in coefficients of norm_combine.comp
    uint of_grad_x_first;
    uint grad_gamma_first;
};

#ifdef __cplusplus
}  // namespace vknorm::shaders
#endif

#endif
