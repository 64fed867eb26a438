// A whole direction of training in one fused dispatch, where a tensor is so small that further dispatches
// would cost more than they save, or where what is measured together fits a cache. The bits are those of the
// passes.
#pragma once

#include <optional>
#include <string>

#include "ops/norm/bind.hpp"
#include "ops/norm/passes.hpp"

namespace vknorm::detail {

// Decide between one dispatch and three: how the one reaches the tensors, or nothing where it takes three.
std::optional<WalkChoice> choose_fused_forward(const DeviceState& device, const NormPlan& plan,
                                               const StatisticsPass& statistics, const FinalizePass& finalize,
                                               const ApplyPass& apply);
std::optional<WalkChoice> choose_fused_backward(const DeviceState& device, const NormPlan& plan,
                                                const BackwardFinalizePass& finalize,
                                                const BackwardApplyPass& apply);

void fused_forward(Recorder& recorder, const NormPlan& plan, const WalkChoice& choice,
                   const StatisticsPass& statistics, const FinalizePass& finalize, const ApplyPass& apply);
void fused_backward(Recorder& recorder, const NormPlan& plan, const WalkChoice& choice,
                    const BackwardFinalizePass& finalize, const BackwardApplyPass& apply);

/// For people: the kernels for tensors of the engine; nothing where it takes three.
std::optional<std::string> explain_fused_kernels(const DeviceState& device, const NormPlan& plan,
                                                 const Affine& affine);

}  // namespace vknorm::detail
