// What each call of BatchNorm should give, and how far off it may be: the reference's values with the bounds
// of the design, |y - y64| <= 4e-6 max(1, |gamma|) and gradients 5e-6 of their largest.
#pragma once

#include "compare.hpp"
#include "reference/batch_norm.hpp"

namespace vknorm::reference {

using testing::Expectations;
using testing::Expected;

struct BatchNormData {
    BatchNormOptions options{};
    std::vector<float> x{}, dy{};
    std::vector<float> gamma{}, beta{};  ///< each may be empty: absent
    std::vector<float> running_mean{}, running_var{};
    int64_t batches = 0;  ///< num_batches_tracked before the call

    Geometry geometry() const { return {options.shape, options.layout}; }
};

/// y, mean [2, C], inv_std, and, unless they are absent, running_mean and running_var.
Expectations expected_forward_training(const BatchNormData& data);
/// y.
Expectations expected_forward_inference(const BatchNormData& data);
/// dx, dgamma, dbeta.
Expectations expected_backward(const BatchNormData& data);
/// With these statistics in place of those of x.
Expectations expected_backward(const BatchNormData& data, const Values& mean, const Values& inv_std);
Expectations expected_backward_frozen(const BatchNormData& data);

}  // namespace vknorm::reference
