// Batch Renormalization: training that normalizes nearly as inference will.
//
// Source: S. Ioffe, "Batch Renormalization: Towards Reducing Minibatch Dependence in Batch-Normalized
// Models", NeurIPS 2017 (arXiv:1702.03275), algorithm 1. With M and S the moving mean and standard deviation,
// mu and sB = sqrt(var + epsilon) those of the batch: r = clip(sB / S, 1 / r_max, r_max), d = clip((mu - M) /
// S, -d_max, d_max), both constants for the gradient.
#pragma once

#include <vknorm/batch_norm.hpp>

namespace vknorm {

/// What the moving statistic of the deviation is.
enum class MovingDeviation {
    deviation,  ///< S itself, as in the paper
    variance,   ///< running_var; S = sqrt(running_var + epsilon): what BatchNorm keeps, so that models can be
                ///< exchanged
};

struct BatchRenormOptions {
    std::vector<uint32_t> shape{};  ///< as BatchNormOptions
    Layout layout = Layout::channels_first;
    float momentum = 0.01f;  ///< alpha, the weight of the new batch in the moving statistics, in [0, 1]
    float epsilon = 1e-5f;   ///< above 0
    MovingDeviation moving = MovingDeviation::deviation;
    Storage storage = Storage::float32;
    bool guard = false;  ///< of the moving statistics, as BatchNormOptions
};

/// How far r and d may go. With {1, 0} this is batch normalization.
struct RenormLimits {
    float r_max = 3;  ///< at least 1
    float d_max = 5;  ///< at least 0
};

/// The schedule of the paper (section 4): batch normalization for 5 000 steps, then r_max from 1 to 3 at step
/// 40 000 and d_max from 0 to 5 at step 25 000, both linearly.
RenormLimits paper_schedule(uint64_t step);

/// A plan for one shape: immutable, and shareable between threads; see BatchNorm for what holds of all calls.
class BatchRenorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    BatchRenorm(Device& device, const BatchRenormOptions& options);

    uint32_t channels() const;
    uint64_t elements() const;  ///< of x
    VkDeviceSize scratch_bytes() const;
    std::string explain() const;

    struct ForwardTraining {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [C]; each may be absent (1 and 0)
        BufferView moving_mean{},
            moving_deviation{};            ///< in and out, [C]; updated after r and d are computed, by the
                                           ///< batch's mean and its sB (variance: its unbiased variance)
        BufferView mean{};                 ///< out, [2, C], as BatchNorm
        BufferView inv_std{};              ///< out, [C]: 1 / sB
        BufferView r{}, d{};               ///< out, [C]
        BufferView num_batches_tracked{};  ///< in and out, int64 [1]; optional
        BufferView
            num_batches_refused{};  ///< in and out, int64 [1]; counts what the guard kept out; optional
        RenormLimits limits{};
        BufferView scratch{};
    };
    /// y = gamma * (x^ * r + d) + beta. One value per channel is refused.
    void forward_training(Recorder& recorder, const ForwardTraining& arguments) const;

    struct ForwardInference {
        BufferView x{};                                ///< in, shape
        BufferView y{};                                ///< out, shape; may be x itself
        BufferView gamma{}, beta{};                    ///< in, [C]; each may be absent
        BufferView moving_mean{}, moving_deviation{};  ///< in, [C]
    };
    /// y = gamma * (x - M) / S + beta.
    void forward_inference(Recorder& recorder, const ForwardInference& arguments) const;

    struct Backward {
        BufferView x{}, dy{};                    ///< in, shape
        BufferView mean{}, inv_std{}, r{}, d{};  ///< in, as saved by forward_training
        BufferView gamma{};                      ///< in, [C]; may be absent
        BufferView dx{};                         ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};            ///< out, [C]; each absent: not wanted
        bool accumulate = false;                 ///< dgamma and dbeta are added to
        BufferView scratch{};
    };
    /// dx = gamma * r / sB * (dy - E[dy] - x^ * E[dy * x^]); dgamma = r * sum dy * x^ + d * sum dy; dbeta =
    /// sum dy.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    struct Impl;
    detail::StatePointer<std::shared_ptr<const Impl>> impl_;
};

}  // namespace vknorm
