// One of the steps that may be in flight: its batch on the way to the device, its results on the way back.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

#include "nn/model.hpp"
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

class StepSlot {
  public:
    StepSlot(Device& device, const Model& model, uint32_t inputs, uint32_t max_batch);

    // Before recording; the slot is not in flight.
    /// Takes the batch of a step.
    void fill(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels);
    /// Plans the probes for that batch.
    void place_probes(Device& device, const Model& model, std::span<const NetworkProbe> probes);

    void record_upload(Recorder& recorder, const Buffer& batch) const;
    /// Probes, and all measurements that step_summary() does not make.
    void record_readback(Recorder& recorder, const Model& model, Statistics statistics);
    BufferView record() const { return readback_.view(0, step_record_bytes(health_layers_)); }

    Ticket ticket = 0;  ///< 0: not submitted
    uint64_t step() const { return step_; }

    // Once the ticket is reached.
    StepReport report() const;
    StepResult result(const Model& model) const;
    /// Where the step met something that is not finite, in words.
    std::string diagnosis(const Model& model) const;

  private:
    struct PlacedProbe {
        NetworkProbe options;
        Probe probe;
        VkDeviceSize offset;  // in probe_readback_
    };
    const float* readback_floats(VkDeviceSize offset) const;
    struct Moments {
        double mean = 0, variance = 0;
    };
    /// Of one unit over all rows, from those of parts of `rows_together` rows (Chan, Golub, LeVeque,
    /// "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
    Moments batch_moments(const NormTensors& norm, uint32_t rows_together, size_t unit) const;
    std::vector<ChannelStatistics> layer_statistics(const Model& model, size_t layer) const;

    uint32_t inputs_, health_layers_;
    uint64_t step_ = 0;
    uint32_t rows_ = 0;
    Buffer upload_, readback_, probe_readback_;
    VkDeviceSize batch_offset_, running_offset_, affine_offset_;  // in readback_
    std::vector<PlacedProbe> probes_;
    std::optional<size_t> bad_input_;
    Statistics statistics_ = Statistics::batch;
    double epsilon_ = 0;
};

}  // namespace vknorm::detail
