// The passes that every normalization is made of. Arguments are checked by the caller; absent ones are not
// wanted, or count as their neutral value.
#pragma once

#include <memory>

#include <vknorm/stream.hpp>

#include "ops/norm/plan.hpp"

namespace vknorm::detail {

/// Statistics as normalization reads them.
struct StatisticsView {
    uint32_t kind = shaders::norm_of_batch;
    BufferView mean{}, deviation{};
    float epsilon = 0;      ///< added to a running variance
    bool by_image = false;  ///< those of image i are number i; the plan must have adjacent channels
};

/// gamma and beta: [C], or for each position.
struct Affine {
    BufferView gamma{}, beta{};
    bool by_position = false;
};

struct StatisticsPass {
    BufferView x{};
    BufferView num_batches_tracked{};  ///< incremented
    BufferView valid{};
    BufferView health{};    ///< the index of the first value that is not finite, minimum over all strands
    BufferView partials{};  ///< out, NormPlan::partial_bytes()
};

/// Which partials are merged into which of `sets` results; see shaders::NormPartials.
struct PartialSets {
    BufferView partials{};
    uint64_t sets = 0;
    uint64_t set_pitch = 0, items = 0, run = 0, run_pitch = 0;
};
/// For statistics: the partials of each of the plan's sets.
PartialSets partials_of_sets(const NormPlan& plan, const BufferView& partials);
/// For parameters: the partials of a channel in some samples.
PartialSets partials_of_channels(const NormPlan& plan, const BufferView& partials, uint64_t sample,
                                 uint64_t samples);
/// Results [parts, sets] of merges, merged again.
PartialSets partials_of_parts(const BufferView& results, uint64_t parts, uint64_t sets);

/// What partials are, and become: moments of more values, sums of more terms, or the average of the moments
/// of sets of equal size (a mean of means, a mean of squares).
enum class Merged : uint32_t {
    moments = shaders::norm_merges_moments,
    sums = shaders::norm_merges_sums,
    average = shaders::norm_merges_average
};

/// Merges partials for passes that follow.
struct MergePass {
    Merged what = Merged::moments;
    PartialSets from{};
    BufferView result{};  ///< out, one partial for each set; with `accumulate` in and out
    bool accumulate = false;
};

/// running = keep * running + take * batch, the batch's variance being squares / (count - unbiased). With
/// `staging` only if the statistics of all channels are finite, and num_batches_tracked with them.
struct RunningUpdate {
    BufferView mean{}, var{};  ///< absent: nothing is updated
    float keep = 0, take = 0;
    bool cumulative = false;  ///< take = 1 / num_batches_tracked instead
    bool unbiased = false;
    uint32_t least = 1;                ///< values that an update needs
    BufferView num_batches_tracked{};  ///< read; with `staging` incremented
    BufferView staging{};              ///< scratch, two floats for each channel
    BufferView num_batches_refused{};  ///< incremented in place of num_batches_tracked; optional
};

/// What takes in the statistics of a batch at first: the running statistics, or the parts of the staging.
struct StagedStatistics {
    StagedStatistics(const RunningUpdate& running, uint64_t channel_bytes);

    BufferView mean{}, var{};
};

struct FinalizePass {
    PartialSets from{};
    BufferView x{}, valid{};  ///< in: what the partials were measured of; absent: sets out of range stay so
    BufferView mean{}, inv_std{};  ///< out
    bool root_mean_square = false;
    float epsilon = 0;
    RunningUpdate running{};
    BufferView count{}, health{};
};

struct ApplyPass {
    BufferView x{}, y{}, residual{};
    Affine affine{};
    StatisticsView statistics{};
    bool relu = false;
    BufferView relu_mask{};  ///< out
    BufferView valid{};
};

/// How backward knows what a ReLU let through.
struct ReluGate {
    bool applied = false;         ///< there was a ReLU
    BufferView mask{}, output{};  ///< in, one of them; absent: it is recomputed from x

    bool recomputed() const { return applied && !mask && !output; }
};

struct BackwardSumsPass {
    BufferView x{};  ///< absent: only dy is summed
    BufferView dy{};
    Affine affine{};        ///< read where a ReLU is recomputed, and where weighted
    bool weighted = false;  ///< dy counts times gamma
    StatisticsView statistics{};
    ReluGate relu{};
    BufferView valid{};
    BufferView partials{};  ///< out
};

/// How many values a set has.
struct ValueCount {
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
    ValueCount values{};
    BufferView weights{};      ///< one for each run of a set's partials, which then count times that
    uint64_t weight_sets = 0;  ///< sets until the weights repeat
    bool centred = true;       ///< else the first mean is taken for 0
};

struct BackwardApplyPass {
    BufferView x{};  ///< absent where the statistics are constants and no ReLU is recomputed
    BufferView dy{}, dx{}, dresidual{};
    Affine affine{};
    bool weighted = false;  ///< the means are those of dy * gamma
    StatisticsView statistics{};
    ReluGate relu{};
    BufferView valid{};
    BufferView means{};
};

PlanLimits limits_of(const Device& device);

/// Records passes of one normalization, each over all slices of its plan.
class NormPasses {
  public:
    /// Throws Unsupported for 16-bit storage on a device without.
    NormPasses(const Device& device, NormPlan plan);

    const NormPlan& plan() const { return plan_; }
    const DeviceState& device() const { return *device_; }

    // One pass each.
    void statistics(Recorder& recorder, const StatisticsPass& pass) const;
    void merge(Recorder& recorder, const MergePass& pass) const;
    /// Then commits the running statistics, where they were staged.
    void finalize(Recorder& recorder, const FinalizePass& pass) const;
    void apply(Recorder& recorder, const ApplyPass& pass) const;
    void backward_sums(Recorder& recorder, const BackwardSumsPass& pass) const;
    void backward_finalize(Recorder& recorder, const BackwardFinalizePass& pass) const;
    void backward_apply(Recorder& recorder, const BackwardApplyPass& pass) const;
    /// What a statistics pass counts, without one.
    void count_batch(Recorder& recorder, const BufferView& num_batches_tracked) const;
    /// The running statistics take in what was staged, or refuse it.
    void commit(Recorder& recorder, const RunningUpdate& running) const;

    // All passes of a direction of training over the statistics of sets: one fused dispatch where
    // fused.hpp says so, else one for each pass.
    void forward(Recorder& recorder, const StatisticsPass& statistics, const FinalizePass& finalize,
                 const ApplyPass& apply) const;
    void backward(Recorder& recorder, const BackwardSumsPass& sums, const BackwardFinalizePass& finalize,
                  const BackwardApplyPass& apply) const;

    // For people: the plan, and the kernels for whole tensors of the engine that are normalized and no more.
    std::string explain(const Affine& affine = {}) const;
    /// The same where `forward` and `backward` are called.
    std::string explain_fused(const Affine& affine = {}) const;

  private:
    std::string explain_passes(const Affine& affine) const;

    std::shared_ptr<const DeviceState> device_;
    NormPlan plan_;
};

}  // namespace vknorm::detail
