// What each call of BatchNorm's relatives should give, and how far off it may be. Wherever statistics of
// batches are updated, running statistics may be absent, and a guard tells what it adds to
// num_batches_refused.
#pragma once

#include <vknorm/batch_renorm.hpp>
#include <vknorm/fold.hpp>
#include <vknorm/ghost_batch_norm.hpp>
#include <vknorm/group_norm.hpp>
#include <vknorm/instance_norm.hpp>
#include <vknorm/layer_norm.hpp>

#include "reference/expected.hpp"

namespace vknorm::reference {

/// Forward: y, mean [2, N, G], inv_std. Backward, of all: dx, dgamma, dbeta.
Expectations expected_forward(const NormData& data, const GroupNormOptions& options);
Expectations expected_backward(const NormData& data, const GroupNormOptions& options);

/// Forward: y, mean [2, M], inv_std.
Expectations expected_forward(const NormData& data, const LayerNormOptions& options);
Expectations expected_backward(const NormData& data, const LayerNormOptions& options);

/// Forward: y, inv_rms.
Expectations expected_rms_forward(const NormData& data, const LayerNormOptions& options);
Expectations expected_rms_backward(const NormData& data, const LayerNormOptions& options);

struct RunningData : NormData {
    std::vector<float> running_mean{}, running_var{};
    int64_t batches = 0;  ///< num_batches_tracked before the call
};

/// Forward: y, mean [2, N, C], inv_std, running_mean, running_var.
Expectations expected_forward(const RunningData& data, const InstanceNormOptions& options);
Expectations expected_backward(const RunningData& data, const InstanceNormOptions& options);

/// Forward: y, mean [ghosts, 2, C], inv_std, running_mean, running_var.
Expectations expected_forward(const RunningData& data, const GhostBatchNormOptions& options);
Expectations expected_backward(const RunningData& data, const GhostBatchNormOptions& options);

struct RenormData : NormData {
    std::vector<float> moving_mean{}, moving_deviation{};
    RenormLimits limits{};
};
/// Forward: y, mean [2, C], inv_std, r, d, moving_mean, moving_deviation.
Expectations expected_forward_training(const RenormData& data, const BatchRenormOptions& options);
Expectations expected_forward_inference(const RenormData& data, const BatchRenormOptions& options);
Expectations expected_backward(const RenormData& data, const BatchRenormOptions& options);

struct FoldData {
    std::vector<float> weight{}, bias{}, gamma{}, beta{}, running_mean{}, running_var{};
    float epsilon = 1e-5f;
};
/// folded_weight, folded_bias.
Expectations expected_fold(const FoldData& data);

}  // namespace vknorm::reference
