// The norm of a hidden layer, whichever it is, planned for a number of rows.
#pragma once

#include <optional>
#include <variant>

#include <vknorm/ghost_batch_norm.hpp>
#include <vknorm/group_norm.hpp>
#include <vknorm/layer_norm.hpp>
#include <vknorm/rms_norm.hpp>

#include "nn/store.hpp"

namespace vknorm::detail {

class HiddenNorm {
  public:
    /// Throws std::invalid_argument for a convention that the norm cannot follow.
    HiddenNorm(Device& device, const HiddenLayer& layer, uint32_t rows,
               const BatchNormConvention& convention);

    VkDeviceSize scratch_bytes() const;
    /// How it goes about with batch statistics, for people.
    std::string explain() const;

    /// Whether it can apply the ReLU behind it, too, in this pass.
    bool applies_relu(const Pass& pass) const;

    /// From x to y, [rows, units].
    void forward(Recorder& recorder, const Store& store, const NormTensors& tensors, const BufferView& x,
                 const BufferView& y, const Pass& pass, bool relu) const;
    /// After that: the gradient d of y becomes that of x.
    void backward(Recorder& recorder, const Store& store, const NormTensors& tensors, const BufferView& x,
                  const BufferView& d, const Pass& pass, bool relu) const;

  private:
    using Plan = std::variant<BatchNorm, BatchRenorm, GhostBatchNorm, LayerNorm, GroupNorm, RmsNorm>;
    static Plan plan(Device& device, const HiddenLayer& layer, uint32_t rows,
                     const BatchNormConvention& convention);

    Plan plan_;
    std::optional<BatchNorm> with_running_;  // running statistics mean the same to all norms that keep them
};

}  // namespace vknorm::detail
