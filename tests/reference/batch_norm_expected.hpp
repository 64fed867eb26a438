// What each call of BatchNorm should give, and how far off it may be.
#pragma once

#include "reference/expected.hpp"

namespace vknorm::reference {

struct BatchNormData : NormData {
    BatchNormOptions options{};
    std::vector<float> running_mean{}, running_var{};
    int64_t batches = 0;  ///< num_batches_tracked before the call
    std::vector<float> residual{};
    bool relu = false;
    // What a backward pass is given to know what the ReLU let through; empty: the reference's own.
    std::vector<uint32_t> relu_mask{};
    std::vector<float> output{};
    std::vector<uint32_t> valid{};                  ///< [N, spatial]; empty: all
    std::vector<float> ddx{}, ddgamma{}, ddbeta{};  ///< each may be empty: 0

    /// Of the tensor (N, C * spatial) when every activation is normalized on its own.
    Geometry geometry() const;
};

/// y, mean [2, C], inv_std, health [C, 4] and, unless they are absent, running_mean and running_var; with
/// relu relu_mask; with valid count; with a guard what it adds to num_batches_refused.
Expectations expected_forward_training(const BatchNormData& data);
/// y and, with relu, relu_mask.
Expectations expected_forward_inference(const BatchNormData& data);
/// dx, dgamma, dbeta and, with a residual, dresidual.
Expectations expected_backward(const BatchNormData& data);
/// With these statistics in place of those of x.
Expectations expected_backward(const BatchNormData& data, const Values& mean, const Values& inv_std);
Expectations expected_backward_frozen(const BatchNormData& data);
/// grad_dy, grad_x, grad_gamma.
Expectations expected_double_backward(const BatchNormData& data);
Expectations expected_double_backward(const BatchNormData& data, const Values& mean, const Values& inv_std);

}  // namespace vknorm::reference
