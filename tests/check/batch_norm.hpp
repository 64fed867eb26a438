// Batch normalization as vknorm-check knows it: what its passes, and its stages, have in common.
#pragma once

#include "check/family.hpp"
#include "reference/batch_norm_expected.hpp"

namespace vknorm::check {

/// What follows the normalization, and how backward knows where it let through.
enum class Relu { none, recomputed, mask };
extern const Option relu_option;
Relu relu_of(const Call& call);

BatchNormOptions batch_norm_options(const Call& call);
reference::BatchNormData batch_norm_data(const Call& call);
TensorShape batch_norm_shape(const std::string& tensor, const TensorShape& x, const Settings& settings);

/// What a forward pass leaves for the backward pass.
struct Saved {
    BufferView mean, inv_std, relu_mask, count, scratch;
};
void record_backward(const BatchNorm& op, const Call& call, Workspace& workspace, const Saved& saved);

void run_batch_norm_backward(const Call& call, Workspace& workspace);
Expectations expect_batch_norm_backward(const Call& call);
void run_batch_norm_frozen(const Call& call, Workspace& workspace);
Expectations expect_batch_norm_frozen(const Call& call);
void run_double_backward(const Call& call, Workspace& workspace);
Expectations expect_double_backward(const Call& call);

}  // namespace vknorm::check
