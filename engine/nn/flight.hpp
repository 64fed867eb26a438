// One of the steps that may be in flight: its batch on the way to the device, its results on the way back.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

#include "nn/capture.hpp"
#include "nn/micro_batches.hpp"
#include "ops/step_summary.hpp"

namespace vknorm::detail {

/// Where inputs and labels of a batch stand in one buffer.
struct BatchLayout {
    VkDeviceSize input_bytes, labels_offset, bytes;

    BatchLayout(uint32_t rows, uint32_t inputs);
    BufferView inputs(const Buffer& buffer) const { return buffer.view(0, input_bytes); }
    BufferView labels(const Buffer& buffer) const {
        return buffer.view(labels_offset, bytes - labels_offset);
    }
};

class Flight {
  public:
    Flight(Device& device, const DeviceGraph& graph);

    // Before recording; the step that was here before has ended.
    /// Takes the batch of a step.
    void fill(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels);
    /// Plans the probes for that batch.
    void place_probes(Device& device, const DeviceGraph& graph, std::span<const NetworkProbe> probes);
    /// Of those norms, for that batch.
    void place_captures(Device& device, const DeviceGraph& graph, std::span<const size_t> norms);

    const std::vector<MicroBatch>& micro_batches() const { return micro_batches_; }
    /// The mean loss and accuracy of all ranks: these are reported then.
    struct Means {
        float loss, accuracy;
    };
    void set_means(const Means& means) { means_ = means; }
    void record_upload(Recorder& recorder, const MicroBatch& micro_batch, const Buffer& batch) const;
    /// What the last micro-batch finds, and after its pass back the gradients of parameters.
    void record_found(Recorder& recorder, const DeviceGraph& graph);
    void record_parameter_gradients(Recorder& recorder, const DeviceGraph& graph, const Propagation& how);
    /// The probes of that gradient, and its copies.
    void record_gradient_probes(Recorder& recorder, const DeviceGraph& graph, size_t node);
    /// The other probes, which see the last micro-batch, and all measurements that step_summary() does not
    /// make. x is the input.
    void record_readback(Recorder& recorder, const DeviceGraph& graph, const BufferView& x,
                         Statistics statistics, std::vector<bool> frozen_statistics);
    BufferView record() const { return readback_.view(0, step_record_bytes(words_)); }

    Ticket ticket = 0;  ///< 0: not submitted
    uint64_t step() const { return step_; }
    uint32_t rows() const { return rows_; }

    // Once the ticket is reached.
    StepReport report() const;
    StepResult result(const DeviceGraph& graph) const;
    /// Where the step met something that is not finite, in words.
    std::string diagnosis(const DeviceGraph& graph) const;

  private:
    struct PlacedProbe {
        std::string name;
        size_t node;
        Tensor tensor;
        Probe probe;
        VkDeviceSize offset;  // in probe_readback_
    };
    /// Of the last micro-batch, which is measured.
    uint32_t measured_rows() const { return micro_batches_.back().rows; }
    /// Without rows nothing is.
    bool measures() const { return measured_rows() > 0; }
    /// [rows, the node's shape]
    BufferView normalized_values(const DeviceGraph& graph, size_t norm) const {
        return normalized_.view(0, 4 * VkDeviceSize{measured_rows()} * graph.elements(norm));
    }
    void record_probe(Recorder& recorder, const PlacedProbe& placed, const BufferView& tensor) const;
    /// By a norm that keeps running statistics.
    Statistics normalized_with(size_t node) const;
    StoreCopy store_copy(const StoreLayout& layout) const;

    uint32_t inputs_, words_;  // words: of divergence, one for each node
    uint64_t step_ = 0;
    uint32_t rows_ = 0;  // of the whole step
    std::optional<Means> means_;
    std::vector<MicroBatch> micro_batches_;
    Buffer upload_, readback_, probe_readback_;
    Buffer normalized_;                                              // values of one norm after the other
    VkDeviceSize reported_offset_, running_offset_, affine_offset_;  // in readback_
    std::vector<PlacedProbe> probes_;
    std::vector<Capture> captures_;
    std::optional<size_t> bad_input_;
    Statistics statistics_ = Statistics::batch;
    std::vector<bool> frozen_statistics_;  // of nodes; empty: none are
    float epsilon_ = 0;
};

}  // namespace vknorm::detail
