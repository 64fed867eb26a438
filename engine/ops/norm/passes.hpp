// The passes that every normalization is made of, each recorded over all slices of a plan. Arguments are
// checked by the caller; absent ones are not wanted, or count as their neutral value.
#pragma once

#include <vknorm/stream.hpp>

#include "ops/norm/plan.hpp"
#include "shaders/norm.h"

namespace vknorm::detail {

/// Tensors as a plan's kernels see them.
struct Tensors {
    bool bfloat16 = false;  ///< else by the plan's element_bytes: float32 or float16
    uint32_t group = 1;     ///< channels that share statistics
};

/// Statistics as normalization reads them.
struct Statistics {
    uint32_t kind = shaders::norm_of_batch;
    BufferView mean{}, deviation{};
    float epsilon = 0;      ///< added to a running variance
    bool by_image = false;  ///< those of image i are number i; the plan must be one of columns
};

/// gamma and beta: [C], or for each position.
struct Affine {
    BufferView gamma{}, beta{};
    bool by_position = false;
};

/// What a batch normalization may have around it.
struct Extras {
    bool relu = false;
    BufferView relu_mask{};
    BufferView valid{};
};

struct StatisticsPass {
    BufferView x{};
    BufferView num_batches_tracked{};  ///< incremented
    BufferView valid{};
    BufferView health{};    ///< the index of the first value that is not finite, minimum over all strands
    BufferView partials{};  ///< out, NormPlan::partial_bytes()
};
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const StatisticsPass& pass);

/// Which partials are merged into which of `sets` results; see NormPartials.
struct PartialSets {
    BufferView partials{};
    uint64_t sets = 0;
    uint64_t set_pitch = 0, items = 0, run = 0, run_pitch = 0;
};
/// For statistics: the partials of a line, or of `group` neighbouring lines.
PartialSets partials_of_sets(const NormPlan& plan, uint32_t group, const BufferView& partials);
/// For parameters: the partials of a channel in some samples.
PartialSets partials_of_channels(const NormPlan& plan, const BufferView& partials, uint64_t sample,
                                 uint64_t samples);
/// Results [parts, sets] of merges, merged again.
PartialSets partials_of_parts(const BufferView& results, uint64_t parts, uint64_t sets);

/// What partials are, and become: moments of more values, sums of more terms, or the average of the moments
/// of sets of equal size (a mean of means, a mean of squares).
enum class Merged { moments, sums, average };

/// Merges partials for passes that follow.
struct MergePass {
    PartialSets from{};
    BufferView result{};  ///< out, one partial for each set; with `accumulate` in and out
    bool accumulate = false;
};
void record(Recorder& recorder, const NormPlan& plan, Merged what, const MergePass& pass);

/// running = keep * running + take * batch, the batch's variance being squares / (count - unbiased).
struct RunningUpdate {
    BufferView mean{}, var{};  ///< absent: nothing is updated
    float keep = 0, take = 0;
    bool cumulative = false;  ///< take = 1 / num_batches_tracked instead
    bool unbiased = false;
    uint32_t least = 1;  ///< values that an update needs
    BufferView num_batches_tracked{};
};

struct FinalizePass {
    PartialSets from{};
    BufferView mean{}, inv_std{};  ///< out
    bool root_mean_square = false;
    float epsilon = 0;
    RunningUpdate running{};
    BufferView count{}, health{};
};
void record(Recorder& recorder, const NormPlan& plan, const FinalizePass& pass);

struct ApplyPass {
    BufferView x{}, y{}, residual{};
    Affine affine{};
    Statistics statistics{};
    Extras extras{};
};
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const ApplyPass& pass);

struct BackwardSumsPass {
    BufferView x{};  ///< absent: only dy is summed
    BufferView dy{};
    Affine affine{};        ///< read for a ReLU without a mask, and where weighted
    bool weighted = false;  ///< dy counts times gamma
    Statistics statistics{};
    Extras extras{};
    BufferView partials{};  ///< out
};
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardSumsPass& pass);

/// How many values a set has.
struct Values {
    uint64_t known = 0;
    BufferView count{};        ///< in, uint32: read instead
    uint32_t count_pitch = 0;  ///< words from one set's count to the next; 0: all sets have the first
};

/// What the sums of dy are for: gradients of the parameters, and the means that the gradient of x needs.
struct BackwardFinalizePass {
    PartialSets from{};
    BufferView dgamma{}, dbeta{};  ///< out, with `accumulate` in and out
    bool accumulate = false;
    BufferView means{};  ///< out, two floats for each set
    Values values{};
    BufferView weights{};      ///< one for each run of a set's partials, which then count times that
    uint64_t weight_sets = 0;  ///< sets until the weights repeat
    bool centred = true;       ///< else the first mean is taken for 0
};
void record(Recorder& recorder, const NormPlan& plan, const BackwardFinalizePass& pass);

struct BackwardApplyPass {
    BufferView x{};  ///< absent where the statistics are constants and no ReLU is recomputed
    BufferView dy{}, dx{}, dresidual{};
    Affine affine{};
    bool weighted = false;  ///< the means are those of dy * gamma
    Statistics statistics{};
    Extras extras{};
    BufferView means{};
};
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardApplyPass& pass);

/// For people: the kernels of the passes, for whole tensors of the engine that are normalized and no more.
std::string explain_passes(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                           const Affine& affine = {});
/// The same where all passes are recorded at once.
std::string explain_all(const DeviceState& device, const NormPlan& plan, const Tensors& tensors);

/// All of training forward over the statistics of channels, in one dispatch where rows are few.
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors,
            const StatisticsPass& statistics, const FinalizePass& finalize, const ApplyPass& apply);
/// All of its backward.
void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardSumsPass& sums,
            const BackwardFinalizePass& finalize, const BackwardApplyPass& apply);

}  // namespace vknorm::detail
