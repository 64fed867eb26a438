// Ghost Batch Normalization: a large batch normalized in parts, as if each were a batch of its own.
//
// Source: E. Hoffer, I. Hubara, D. Soudry, "Train longer, generalize better: closing the generalization gap
// in large batch training of neural networks", NeurIPS 2017 (arXiv:1705.08741), algorithm 1.
#pragma once

#include <vknorm/batch_norm.hpp>

namespace vknorm {

struct GhostBatchNormOptions {
    std::vector<uint32_t> shape{};  ///< as BatchNormOptions
    Layout layout = Layout::channels_first;
    uint32_t ghost_size = 32;  ///< images of a ghost, at least 1; the last one holds what is left
    BatchNormConvention convention{};
    SingleValue single_value = SingleValue::error;
    Storage storage = Storage::float32;
    bool guard = false;  ///< as BatchNormOptions, ghost by ghost
};

/// A plan for one shape: immutable, and shareable between threads; see BatchNorm for what holds of all calls.
/// Inference is BatchNorm's.
class GhostBatchNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    GhostBatchNorm(Device& device, const GhostBatchNormOptions& options);

    uint32_t channels() const;
    uint64_t elements() const;  ///< of x
    uint32_t ghosts() const;    ///< N / ghost_size, rounded up
    VkDeviceSize scratch_bytes() const;
    std::string explain() const;

    struct ForwardTraining {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [C]; each may be absent (1 and 0)
        BufferView mean{};           ///< out, [ghosts, 2, C]: of each ghost as BatchNorm saves it
        BufferView inv_std{};        ///< out, [ghosts, C]
        BufferView running_mean{}, running_var{};  ///< in and out, [C]; updated ghost by ghost, in order;
                                                   ///< absent: not updated (both or neither)
        BufferView num_batches_tracked{};  ///< in and out, int64 [1]; counts every ghost; optional, unless a
                                           ///< cumulative momentum updates running statistics
        BufferView num_batches_refused{};  ///< in and out, int64 [1]; counts the ghosts that the guard kept
                                           ///< out; optional
        BufferView scratch{};
    };
    void forward_training(Recorder& recorder, const ForwardTraining& arguments) const;

    struct Backward {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as saved by forward_training
        BufferView gamma{};            ///< in, [C]; may be absent
        BufferView dx{};               ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};  ///< out, [C]; each absent: not wanted. Without images in the batch
                                       ///< they need TRANSFER_DST usage.
        bool accumulate = false;       ///< dgamma and dbeta are added to
        BufferView scratch{};
    };
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    struct Impl;
    detail::StatePointer<std::shared_ptr<const Impl>> impl_;
};

}  // namespace vknorm
