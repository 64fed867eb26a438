// The passes and the stages of batch normalization have this in common.
#pragma once

#include "check/family.hpp"
#include "reference/batch_norm_expected.hpp"

namespace vknorm::check {

BatchNormOptions batch_norm_options(const Call& call);
reference::BatchNormData batch_norm_data(const Call& call);
TensorShape batch_norm_shape(const std::string& tensor, const TensorShape& x, const Settings& settings);

void run_batch_norm_backward(const Call& call, Workspace& workspace);
Expectations expect_batch_norm_backward(const Call& call);
void run_batch_norm_frozen(const Call& call, Workspace& workspace);
Expectations expect_batch_norm_frozen(const Call& call);
void run_double_backward(const Call& call, Workspace& workspace);
Expectations expect_double_backward(const Call& call);

}  // namespace vknorm::check
