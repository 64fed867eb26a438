// How a norm of [rows, channels, positions...] runs, whichever it is, for a fixed number of rows.
#pragma once

#include <optional>
#include <variant>

#include <vknorm/batch_norm_stages.hpp>
#include <vknorm/ghost_batch_norm.hpp>
#include <vknorm/group_norm.hpp>
#include <vknorm/layer_norm.hpp>
#include <vknorm/rms_norm.hpp>

#include "nn/layer.hpp"

namespace vknorm::detail {

/// Absent where the kind has no such tensor.
struct NormTensors {
    StoredTensor gamma{}, beta{};
    StoredTensor running_mean{}, running_variance{};
    StoredTensor batches{};          ///< an int64
    StoredTensor mean{}, inv_std{};  ///< two numbers and one for each set, in a largest batch
    StoredTensor r{}, d{};
    StoredTensor moments{};  ///< what is exchanged or pooled, ChannelMoments
    StoredTensor sums{};     ///< what is exchanged, ChannelSums
};

class PlannedNorm final : public LayerPlan {
  public:
    /// Throws std::invalid_argument for a convention that the norm cannot follow.
    PlannedNorm(Device& device, const NormLayer& layer, const NormTensors& tensors,
                const BatchNormConvention& convention, const Shape& shape);

    VkDeviceSize scratch_bytes() const override;
    std::string explain() const override;
    bool fuses(const Propagation& how) const override;

    void forward(Recorder& recorder, const ForwardViews& views) const override;
    void backward(Recorder& recorder, const BackwardViews& views) const override;
    void normalize(Recorder& recorder, const ForwardViews& views) const override;
    BufferView measure(Recorder& recorder, const ForwardViews& views) const override;
    BufferView sum(Recorder& recorder, const BackwardViews& views) const override;
    void pool(Recorder& recorder, const ForwardViews& views, bool first) const override;
    BufferView pooled(const Store& store) const override;
    void take_pooled(Recorder& recorder, const Store& store) const override;

  private:
    using Kind = std::variant<BatchNorm, BatchRenorm, GhostBatchNorm, LayerNorm, GroupNorm, RmsNorm>;
    static Kind kind(Device& device, const NormLayer& layer, const BatchNormConvention& convention,
                     const Shape& shape);
    bool by_running(const Propagation& how) const {
        return with_running_ && how.statistics == Statistics::running;
    }
    bool exchanged(const Propagation& how) const {
        return stages_ && how.share && how.statistics == Statistics::batch;
    }

    NormTensors tensors_;
    Kind kind_;
    std::optional<BatchNorm> with_running_;  // running statistics mean the same to all norms that keep them
    std::optional<BatchNormStages> stages_;  // where batch statistics are exchanged
    std::optional<BatchNormStages> pooled_;  // whose running statistics are those of one set
};

}  // namespace vknorm::detail
