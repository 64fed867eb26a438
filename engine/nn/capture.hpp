// A copy of all that one norm is given and gives in a training step, on its way back to the host.
#pragma once

#include <vector>

#include <vknorm/network.hpp>

#include "nn/device_graph.hpp"

namespace vknorm::detail {

class Capture {
  public:
    /// Of that norm in a batch of so many rows, before recording; the step that was here before has ended.
    void place(Device& device, const DeviceGraph& graph, size_t node, uint32_t rows);
    size_t node() const { return node_; }

    // Recorded in this order, of one batch.
    /// Before the pass forward, which may update running statistics.
    void record_found(Recorder& recorder, const Store& store);
    /// When the gradient of that node is whole.
    void record_gradient(Recorder& recorder, const DeviceGraph& graph, size_t node);
    /// After the pass back, where the norm's parameters have gradients.
    void record_parameter_gradients(Recorder& recorder, const Store& store);
    /// Of the pass forward; x is the input of the graph. `by_running`: a norm that keeps running statistics
    /// normalized with them, and saved none.
    void record_results(Recorder& recorder, const DeviceGraph& graph, const BufferView& x, bool by_running);

    /// Once the step has ended.
    NormCapture result() const;

  private:
    using Member = std::vector<float> NormCapture::*;
    struct Part {
        Member member;
        VkDeviceSize offset, bytes;  // in readback_
    };
    void take(Recorder& recorder, Member member, const BufferView& source);

    size_t node_ = 0, source_ = 0;  // source: the node that the norm reads
    bool reads_alone_ = false;      // that
    uint32_t rows_ = 0;
    StoredTensor gamma_, beta_, running_mean_, running_variance_, mean_, inv_std_, r_, d_;
    Buffer readback_;
    VkDeviceSize taken_ = 0;  // bytes
    std::vector<Part> parts_;
};

}  // namespace vknorm::detail
