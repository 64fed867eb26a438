// Instance Normalization.
//
// Source: D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance Normalization: The Missing Ingredient for Fast
// Stylization", 2016 (arXiv:1607.08022). Each channel of each image is normalized by its own mean and biased
// variance. Running statistics, as PyTorch's track_running_stats keeps them, blend in the average over the
// images of their means and variances.
#pragma once

#include <vknorm/batch_norm.hpp>
#include <vknorm/group_norm.hpp>

namespace vknorm {

struct InstanceNormOptions {
    std::vector<uint32_t> shape{};  ///< 3 to 5 dimensions, as `layout` lists them; N may be 0, nothing else
    Layout layout = Layout::channels_first;
    BatchNormConvention convention{};  ///< epsilon, and how running statistics are updated
    Storage storage = Storage::float32;
    bool guard = false;  ///< of the running statistics, as BatchNormOptions
};

/// A plan for one shape: immutable, and shareable between threads; see BatchNorm for what holds of all calls.
class InstanceNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    InstanceNorm(Device& device, const InstanceNormOptions& options);

    uint32_t channels() const;
    uint64_t elements() const;  ///< of x
    uint64_t sets() const;      ///< N * C
    /// Bytes that `scratch` must have in every call; its contents need not be kept between calls.
    VkDeviceSize scratch_bytes() const;
    std::string explain() const;

    struct ForwardTraining {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [C]; each may be absent (1 and 0)
        BufferView mean{};     ///< out, [2, N, C]: the mean rounded to float32, then what the rounding lost
        BufferView inv_std{};  ///< out, [N, C]
        BufferView running_mean{}, running_var{};  ///< in and out, [C]; absent: not updated (both or neither)
        BufferView num_batches_tracked{};  ///< in and out, int64 [1]; counts the call; optional, unless a
                                           ///< cumulative momentum updates running statistics
        BufferView
            num_batches_refused{};  ///< in and out, int64 [1]; counts what the guard kept out; optional
        BufferView scratch{};
    };
    /// y = gamma * x^ + beta with the statistics of each image. Throws std::invalid_argument when there is
    /// one value per channel and image, as PyTorch.
    void forward_training(Recorder& recorder, const ForwardTraining& arguments) const;

    /// As that of GroupNorm with C groups.
    using Backward = GroupNorm::Backward;
    void backward(Recorder& recorder, const Backward& arguments) const;

    /// With running statistics instance normalization is batch normalization: these are BatchNorm's.
    void forward_inference(Recorder& recorder, const BatchNorm::ForwardInference& arguments) const;
    void backward_frozen(Recorder& recorder, const BatchNorm::BackwardFrozen& arguments) const;

  private:
    struct Impl;
    detail::StatePointer<std::shared_ptr<const Impl>> impl_;
};

}  // namespace vknorm
