// A hidden layer on the device: Linear -> norm -> activation, forward and backward.
#pragma once

#include <optional>
#include <string>

#include <vknorm/linear.hpp>
#include <vknorm/network.hpp>

#include "nn/layers/norm.hpp"

namespace vknorm::detail {

/// Operations of one layer for a fixed number of rows.
struct LayerPlan {
    Linear linear;
    std::optional<HiddenNorm> norm{};
};

class Block {
  public:
    Block(Device& device, uint32_t index, const HiddenLayer& options, const LayerTensors& tensors,
          uint32_t max_batch);

    /// From the layer's input x, [rows, inputs], to activation().
    void forward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                 const BufferView& x, const Pass& pass) const;
    /// From the gradient with respect to activation(), found in gradient(), to that of the parameters and of
    /// x; gradient() becomes that of pre_norm(). An absent dx is not wanted.
    void backward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                  const BufferView& x, const BufferView& dx, const Pass& pass) const;

    uint32_t units() const { return tensors_.outputs; }
    // [rows, units]
    BufferView pre_norm(uint32_t rows) const { return rows_of(pre_norm_, rows); }
    BufferView normalized(uint32_t rows) const { return rows_of(norm_ ? normalized_ : pre_norm_, rows); }
    BufferView activation(uint32_t rows) const { return rows_of(activation_, rows); }
    BufferView gradient(uint32_t rows) const { return rows_of(gradient_, rows); }

  private:
    /// Whether the norm also does what the activation function would.
    bool fused(const LayerPlan& plan, const Pass& pass) const;
    BufferView rows_of(const Buffer& buffer, uint32_t rows) const {
        return buffer.view(0, 4 * VkDeviceSize{rows} * units());
    }

    uint32_t index_;
    Activation function_;
    LayerTensors tensors_;
    bool norm_;
    Buffer pre_norm_, normalized_, activation_, gradient_;
    std::string linear_label_, norm_label_, activation_label_;
};

}  // namespace vknorm::detail
