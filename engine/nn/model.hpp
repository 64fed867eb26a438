// A network on the device: its tensors, and how passes through it are recorded.
#pragma once

#include <map>

#include <vknorm/softmax_cross_entropy.hpp>

#include "nn/block.hpp"

namespace vknorm::detail {

class Model {
  public:
    /// Throws std::invalid_argument for sizes out of range, Unsupported when a tensor is too large for this
    /// device.
    Model(Device& device, const NetworkOptions& options);

    /// The tensors of the start.
    void initialize(Stream& stream, uint64_t seed, float scale);
    /// Plans what depends on the number of rows, unless that was done before. Waits when the norms' scratch
    /// has to grow.
    void prepare(uint32_t rows, Stream& stream);

    // All of these need prepare(rows). x is [rows, inputs].
    /// Up to logits().
    void forward(Recorder& recorder, uint32_t rows, const BufferView& x, const Pass& pass) const;
    /// Loss and gradient, after forward().
    void backward(Recorder& recorder, uint32_t rows, const BufferView& x, const BufferView& labels,
                  const BufferView& results, const Pass& pass) const;
    const SoftmaxCrossEntropy& loss(uint32_t rows) const { return plans_.at(rows).loss; }
    BufferView logits(uint32_t rows) const { return classes_of(logits_, rows); }

    void set_batch_norm(const BatchNormConvention& convention);
    const BatchNormConvention& batch_norm() const { return convention_; }

    /// Of a batch of `rows`: how many the norm of a hidden layer normalizes together.
    uint32_t rows_together(size_t layer, uint32_t rows) const {
        return hidden_[layer].norm == Norm::ghost ? hidden_[layer].ghost_size : rows;
    }

    const Layout& layout() const { return layout_; }
    const std::vector<Block>& blocks() const { return blocks_; }
    const Store& store() const { return store_; }
    /// Words of Health that belong to layers: the hidden ones and the logits.
    uint32_t health_layers() const { return static_cast<uint32_t>(blocks_.size() + 1); }

  private:
    struct Plan {
        std::vector<LayerPlan> layers;  // hidden layers, then the output layer
        SoftmaxCrossEntropy loss;
        VkDeviceSize scratch_bytes;
    };
    const Plan& plan(uint32_t rows);
    void grow_scratch(VkDeviceSize bytes);
    BufferView classes_of(const Buffer& buffer, uint32_t rows) const {
        return buffer.view(0, 4 * VkDeviceSize{rows} * layout_.layers.back().outputs);
    }
    /// Input of layer i: x, or the activation before it.
    BufferView input_of(size_t i, uint32_t rows, const BufferView& x) const {
        return i == 0 ? x : blocks_[i - 1].activation(rows);
    }

    Device& device_;
    std::vector<HiddenLayer> hidden_;
    BatchNormConvention convention_;
    Layout layout_;
    Store store_;
    std::vector<Block> blocks_;
    Buffer logits_, dlogits_;
    std::map<uint32_t, Plan> plans_;
};

}  // namespace vknorm::detail
