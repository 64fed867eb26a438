// Batch normalization stage by stage, for statistics of more than one tensor: over several devices
// (synchronized batch normalization), several micro-batches of one step, or a whole data set (precise batch
// normalization).
//
// The statistics of parts are exchanged as (count, mean, sum of squared deviations), never as inv_std, which
// has lost what the merge needs, and are merged in a fixed order: T. Chan, G. Golub, R. LeVeque, "Updating
// formulae and a pairwise algorithm for computing sample variances", 1979. Precise statistics: Y. Wu, J.
// Johnson, "Rethinking 'Batch' in BatchNorm", 2021 (arXiv:2105.07576), section 3.
//
// Forward: measure every part, merge, finish, normalize every part. Backward: sum every part, merge,
// differentiate every part.
#pragma once

#include <vknorm/batch_norm.hpp>

namespace vknorm {

/// Statistics of one channel, as the device stores them.
struct ChannelMoments {
    uint32_t count = 0;   ///< values
    float mean = 0;       ///< rounded to float32
    float mean_lost = 0;  ///< what the rounding lost
    float squares = 0;    ///< sum of (x - mean)^2; infinite or NaN where float32 does not hold it
};

/// Sums of the backward pass of one channel, each as a float32 and what its rounding lost.
struct ChannelSums {
    float dy = 0, dy_lost = 0;      ///< sum of dy
    float dy_x = 0, dy_x_lost = 0;  ///< sum of dy * x^
};

/// A plan for one part's shape: immutable, and shareable between threads; see BatchNorm for what holds of all
/// calls. N may be 0: an empty part takes part in everything. Buffers of ChannelMoments and ChannelSums may
/// be at any offset that is a multiple of their sixteen bytes. BatchNormOptions::single_value has no say:
/// that is finish's, where the values of all parts are known.
class BatchNormStages {
  public:
    BatchNormStages(Device& device, const BatchNormOptions& options);

    uint32_t channels() const;
    uint64_t elements() const;  ///< of x
    VkDeviceSize scratch_bytes() const;

    struct Measure {
        BufferView x{};           ///< in, shape
        BufferView moments{};     ///< out, ChannelMoments [C]; with `accumulate` in and out
        bool accumulate = false;  ///< merge with what `moments` holds, which comes first
        BufferView scratch{};
    };
    void measure(Recorder& recorder, const Measure& arguments) const;

    struct MergeMoments {
        uint32_t parts = 0;    ///< at least 1
        BufferView from{};     ///< in, ChannelMoments [parts, C]; merged in this order; any may be empty
        BufferView moments{};  ///< out, ChannelMoments [C]
    };
    void merge(Recorder& recorder, const MergeMoments& arguments) const;

    struct Finish {
        BufferView moments{};                      ///< in, ChannelMoments [C]
        BufferView mean{};                         ///< out, [2, C]; see BatchNorm::ForwardTraining
        BufferView inv_std{};                      ///< out, [C]
        BufferView running_mean{}, running_var{};  ///< in and out, [C]; absent: not updated (both or neither)
        BufferView num_batches_tracked{};          ///< in and out, int64 [1]; optional, unless cumulative
        BufferView
            num_batches_refused{};  ///< in and out, int64 [1]; counts what the guard kept out; optional
        BufferView scratch{};       ///< with BatchNormOptions::guard only
    };
    /// Statistics from moments, and the update of the running ones by the options' convention. With momentum
    /// 1 in the form weighs_new they become those of the moments: precise batch normalization. Where the
    /// count is below 2 the running statistics stay as they are.
    void finish(Recorder& recorder, const Finish& arguments) const;

    struct Normalize {
        BufferView x{};                ///< in, shape
        BufferView y{};                ///< out, shape; may be x itself
        BufferView gamma{}, beta{};    ///< in, [C]; each may be absent
        BufferView mean{}, inv_std{};  ///< in, as given by finish
    };
    void normalize(Recorder& recorder, const Normalize& arguments) const;

    struct Sum {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as given by finish
        BufferView sums{};             ///< out, ChannelSums [C]; with `accumulate` in and out
        bool accumulate = false;       ///< add to what `sums` holds
        BufferView scratch{};
    };
    void sum(Recorder& recorder, const Sum& arguments) const;

    struct MergeSums {
        uint32_t parts = 0;  ///< at least 1
        BufferView from{};   ///< in, ChannelSums [parts, C]; added in this order
        BufferView sums{};   ///< out, ChannelSums [C]
    };
    void merge(Recorder& recorder, const MergeSums& arguments) const;

    struct ParameterGradients {
        BufferView sums{};             ///< in, ChannelSums [C]: of one part, or merged
        BufferView dgamma{}, dbeta{};  ///< out, [C]; each absent: not wanted
        bool accumulate = false;       ///< dgamma and dbeta are added to
    };
    void parameter_gradients(Recorder& recorder, const ParameterGradients& arguments) const;

    struct Differentiate {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as given by finish
        BufferView gamma{};            ///< in, [C]; may be absent
        BufferView moments{};  ///< in, ChannelMoments [C], merged: their count is the number of all values
        BufferView sums{};     ///< in, ChannelSums [C], merged
        BufferView dx{};       ///< out, shape; may be dy itself
        BufferView scratch{};
    };
    void differentiate(Recorder& recorder, const Differentiate& arguments) const;

  private:
    struct Impl;
    detail::StatePointer<std::shared_ptr<const Impl>> impl_;
};

}  // namespace vknorm
