// Batch Normalization: training forward, inference forward, and both backward passes.
//
// Source: S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
// Covariate Shift", ICML 2015 (arXiv:1502.03167), algorithms 1 and 2.
// Notation: m values per channel, mu and var the batch mean and BIASED batch variance, inv_std = 1/sqrt(var +
// epsilon), x^ = (x - mu) * inv_std.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <vknorm/normalization.hpp>
#include <vknorm/stream.hpp>

namespace vknorm {

/// What is blended into the running variance.
enum class RunningVariance {
    unbiased,  ///< var * m / (m - 1): PyTorch, cuDNN, MIOpen
    biased,    ///< var: ONNX, oneDNN, Keras
};

/// What `momentum` multiplies in running = (1 - w) * running + w * batch.
enum class Momentum {
    weighs_new,  ///< w = momentum: PyTorch, cuDNN
    weighs_old,  ///< w = 1 - momentum: ONNX, Keras
    cumulative,  ///< w = 1 / num_batches_tracked, the plain average over all batches: PyTorch's momentum=None
};

/// What training does when a channel has a single value, so that its variance means nothing.
enum class SingleValue {
    error,         ///< std::invalid_argument, as PyTorch
    keep_running,  ///< y = beta; the running statistics stay
    normalize,     ///< y = beta; the running statistics are updated (variance 0)
};

/// How a framework normalizes; see the presets.
struct BatchNormConvention {
    RunningVariance running_variance = RunningVariance::unbiased;
    Momentum momentum_form = Momentum::weighs_new;
    float momentum = 0.1f;  ///< in [0, 1]
    float epsilon = 1e-5f;  ///< at least 0; with 0 a channel of zero variance gets inv_std = 0, y = beta

    static BatchNormConvention torch() { return {}; }
    static BatchNormConvention onnx() { return {RunningVariance::biased, Momentum::weighs_old, 0.9f, 1e-5f}; }
    static BatchNormConvention keras() {
        return {RunningVariance::biased, Momentum::weighs_old, 0.99f, 1e-3f};
    }
};

struct BatchNormOptions {
    std::vector<uint32_t> shape{};  ///< 2 to 5 dimensions, as `layout` lists them; N may be 0, C may not
    Layout layout = Layout::channels_first;
    BatchNormConvention convention{};
    SingleValue single_value = SingleValue::error;
    /// Every (c, spatial) has statistics and parameters of its own, over N values each, as the paper's
    /// section 3.2 has it for fully connected layers: the C below is then that of a tensor (N, C * spatial).
    bool per_activation = false;
    Storage storage = Storage::float32;
    /// Running statistics and num_batches_tracked take in a batch only if its means and variances are finite,
    /// those of all channels; else nothing of them changes, and num_batches_refused counts the batch. Costs a
    /// small dispatch. Without it a NaN stays in the running statistics for good, as in PyTorch.
    bool guard = false;
};

/// What the statistics pass noticed about a channel, as the device stores it.
struct ChannelHealth {
    static constexpr uint32_t none = 0xffffffff;
    float mean_over_std = 0;           ///< |mu| / sqrt(var); infinite for a constant that is not zero
    uint32_t below_epsilon = 0;        ///< 1: var < epsilon, so that x^ is damped or 0
    uint32_t first_non_finite = none;  ///< index among the channel's m values, image by image, of the first
                                       ///< NaN or infinity
    uint32_t overflow = 0;             ///< 1: the values are finite, and their variance is beyond float32
};

/// A plan for one shape: immutable, and shareable between threads; copies share it. Tensors are dense.
/// Operations record into the given Recorder, allocate no device memory, submit nothing and wait for nothing.
/// Buffers may be at any offset that is a multiple of 4 (of tensors in 16-bit storage: of 2). Unless stated,
/// an output must not overlap any other argument. A VkBuffer of the caller's needs the usages that BufferView
/// names: STORAGE_BUFFER, and where an argument says so TRANSFER_DST, because it is filled first.
class BatchNorm {
  public:
    /// Throws std::invalid_argument for a shape or convention out of range.
    BatchNorm(Device& device, const BatchNormOptions& options);

    uint32_t channels() const;
    uint64_t elements() const;            ///< of x
    uint64_t values_per_channel() const;  ///< m
    /// Bytes that `scratch` must have in every call; its contents need not be kept between calls.
    VkDeviceSize scratch_bytes() const;
    /// Bytes of a `relu_mask`: bits [C, m], every channel starting a new uint32.
    VkDeviceSize relu_mask_bytes() const;
    /// The chosen strategy, partitioning and dispatches, for people.
    std::string explain() const;

    struct ForwardTraining {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [C]; each may be absent (1 and 0)
        BufferView mean{};  ///< out, [2, C]: the batch mean rounded to float32, then what the rounding lost
        BufferView inv_std{};                      ///< out, [C]
        BufferView running_mean{}, running_var{};  ///< in and out, [C]; absent: not updated (both or neither)
        BufferView num_batches_tracked{};  ///< in and out, int64 [1]; counts the call; optional, unless a
                                           ///< cumulative momentum updates running statistics
        BufferView
            num_batches_refused{};  ///< in and out, int64 [1]; counts what the guard kept out; optional
        BufferView residual{};      ///< in, shape; added to y; may be y itself
        bool relu = false;          ///< y below 0 becomes 0, after the residual; NaN stays
        BufferView relu_mask{};  ///< out, relu_mask_bytes(): where y was above 0 or NaN. Backward needs it,
                                 ///< or y, after a residual; without one it can tell from x. Needs
                                 ///< TRANSFER_DST usage.
        BufferView
            valid{};  ///< in, uint32 [N, spatial]: where 0, x is not read into the statistics and y is 0
        BufferView count{};   ///< out, uint32 [1]: values of a channel that were valid; with `valid` only
        BufferView health{};  ///< out, ChannelHealth [C]; optional. Needs TRANSFER_DST usage.
        BufferView scratch{};
    };
    /// y = gamma * x^ + beta with batch statistics; updates the running statistics if given. An empty batch
    /// leaves mean = 0, inv_std = 0 and the running statistics as they are, and is counted; so does one
    /// without a valid value. With one valid value the running variance takes 0, or both stay with
    /// SingleValue::keep_running.
    void forward_training(Recorder& recorder, const ForwardTraining& arguments) const;

    struct ForwardInference {
        BufferView x{};                            ///< in, shape
        BufferView y{};                            ///< out, shape; may be x itself
        BufferView gamma{}, beta{};                ///< in, [C]; each may be absent
        BufferView running_mean{}, running_var{};  ///< in, [C]
        BufferView residual{};                     ///< in, shape; added to y; may be y itself
        bool relu = false;                         ///< y below 0 becomes 0, after the residual; NaN stays
        BufferView relu_mask{};  ///< out, relu_mask_bytes(); optional. Needs TRANSFER_DST usage.
    };
    /// y = gamma * (x - running_mean) / sqrt(running_var + epsilon) + beta.
    void forward_inference(Recorder& recorder, const ForwardInference& arguments) const;

    struct Backward {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{};             ///< in, [2, C], as saved by forward_training
        BufferView inv_std{};          ///< in, [C], as saved by forward_training
        BufferView gamma{};            ///< in, [C]; may be absent
        BufferView dx{};               ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};  ///< out, [C]; each absent: not wanted
        bool accumulate = false;       ///< dgamma and dbeta are added to
        bool relu = false;             ///< forward had a ReLU
        // What the ReLU let through is told by one of these two, or recomputed from x:
        BufferView y{};          ///< in, shape, as forward left it
        BufferView relu_mask{};  ///< in, as forward left it, where y is not kept
        BufferView beta{};       ///< in, [C]; read only to recompute the ReLU
        BufferView dresidual{};  ///< out, shape: dy where the ReLU let through, else 0 (after a ReLU this
                                 ///< needs y or relu_mask); absent: not wanted; may be dy itself
        BufferView valid{};      ///< in, as forward; where 0, dy is not read and dx is 0
        BufferView count{};      ///< in, as written by forward; with `valid` only
        BufferView scratch{};
    };
    /// Gradient of forward_training. dy below is what the ReLU let through. dbeta = sum dy; dgamma = sum dy *
    /// x^; dx = gamma * inv_std * (dy - dbeta / m - x^ * dgamma / m).
    void backward(Recorder& recorder, const Backward& arguments) const;

    struct BackwardFrozen {
        BufferView x{}, dy{};                      ///< in, shape; x may be absent when dgamma is
        BufferView running_mean{}, running_var{};  ///< in, [C], as used by forward_inference
        BufferView gamma{};                        ///< in, [C]; may be absent
        BufferView dx{};                           ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};              ///< out, [C]; each absent: not wanted
        bool accumulate = false;                   ///< dgamma and dbeta are added to
        bool relu = false;                         ///< forward had a ReLU
        // What the ReLU let through is told by one of these two, or recomputed from x:
        BufferView y{};          ///< in, shape, as forward left it
        BufferView relu_mask{};  ///< in, as forward left it, where y is not kept
        BufferView beta{};       ///< in, [C]; read only to recompute the ReLU
        BufferView dresidual{};  ///< out, shape; absent: not wanted; may be dy itself
        BufferView scratch{};
    };
    /// Gradient of forward_inference: the statistics are constants.
    void backward_frozen(Recorder& recorder, const BackwardFrozen& arguments) const;

    struct DoubleBackward {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as saved by forward_training
        BufferView gamma{};            ///< in, [C]; may be absent
        BufferView ddx{};  ///< in, shape: gradient of a loss with respect to backward's dx; absent: 0
        BufferView ddgamma{}, ddbeta{};  ///< in, [C]: the same for dgamma, dbeta; each absent: 0
        BufferView grad_dy{}, grad_x{};  ///< out, shape; each absent: not wanted
        BufferView grad_gamma{};         ///< out, [C]; absent: not wanted
        BufferView scratch{};
    };
    /// Gradient of backward (without ReLU and `valid`): of the loss whose gradients with respect to dx,
    /// dgamma and dbeta are given, with respect to dy, x and gamma. float32 storage only.
    void double_backward(Recorder& recorder, const DoubleBackward& arguments) const;

  private:
    struct Impl;
    detail::StatePointer<std::shared_ptr<const Impl>> impl_;
};

}  // namespace vknorm
