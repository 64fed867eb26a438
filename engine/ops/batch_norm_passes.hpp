// The passes of batch normalization, each recorded over all slices of a plan. Arguments are checked by the
// caller.
#pragma once

#include <vknorm/stream.hpp>

#include "ops/batch_norm_plan.hpp"

namespace vknorm::detail {

/// Statistics as normalization reads them: those of the batch ([2, C] mean, [C] inv_std), or frozen ones
/// (running_mean, running_var) with their epsilon.
struct Statistics {
    BufferView mean{}, deviation{};
    bool frozen = false;
    float epsilon = 0;
};

/// running = keep * running + take * batch, the batch's variance being its sum of squares / divisor.
struct RunningUpdate {
    BufferView mean{}, var{};
    float keep = 0, take = 0;
    bool cumulative = false;  ///< take = 1 / num_batches_tracked instead
    float divisor = 1;
};

struct StatisticsPass {
    BufferView x{};
    BufferView num_batches_tracked{};  ///< incremented, unless absent
    BufferView scratch{};              ///< out: partials
};
void record(Recorder& recorder, const BatchNormPlan& plan, const StatisticsPass& pass);

struct FinalizePass {
    BufferView scratch{};          ///< in: partials
    BufferView mean{}, inv_std{};  ///< out
    float epsilon = 0;
    RunningUpdate running{};  ///< nothing is updated where its mean is absent
    BufferView num_batches_tracked{};
};
void record(Recorder& recorder, const BatchNormPlan& plan, const FinalizePass& pass);

struct ApplyPass {
    BufferView x{}, y{}, gamma{}, beta{};
    Statistics statistics{};
};
void record(Recorder& recorder, const BatchNormPlan& plan, const ApplyPass& pass);

struct BackwardSumsPass {
    BufferView x{};  ///< absent: only dy is summed
    BufferView dy{};
    Statistics statistics{};
    BufferView scratch{};  ///< out: partials
};
void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardSumsPass& pass);

struct BackwardFinalizePass {
    BufferView scratch{};          ///< in: partials; out: means of dy and of dy * x^
    BufferView dgamma{}, dbeta{};  ///< out, each optional
    bool give_means = false;
};
void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardFinalizePass& pass);

struct BackwardApplyPass {
    BufferView x{};  ///< absent when frozen
    BufferView dy{}, dx{}, gamma{};
    Statistics statistics{};
    BufferView scratch{};  ///< in: means; unused when frozen
};
void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardApplyPass& pass);

}  // namespace vknorm::detail
