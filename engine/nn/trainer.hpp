// Training steps of a model: what is in flight, how a step is recorded, and whether the run is still sound.
#pragma once

#include <string>
#include <vector>

#include "nn/flight.hpp"

namespace vknorm::detail {

/// How the next steps go.
struct TrainingOptions {
    Optimizer optimizer = Sgd{};
    Statistics statistics = Statistics::batch;
    bool update_running = true;
    bool train_affine = true;
    std::vector<NetworkProbe> probes{};
};

/// Keeps references to model and stream; uses the stream from initialize() on.
class Trainer {
  public:
    Trainer(Device& device, const NetworkOptions& options, Model& model, Stream& stream);

    /// Sound, and with an optimizer that has not stepped yet.
    void initialize();

    TrainingOptions training{};

    /// Waits only when as many steps as there are slots are in flight. Throws Diverged when that is known.
    Ticket step(std::span<const float> inputs, std::span<const uint32_t> labels, const RenormLimits& renorm);
    /// Waits for the step. Throws Diverged, and std::invalid_argument for a ticket that is none of the
    /// latest.
    StepResult result(Ticket ticket);
    void reset_optimizer();
    /// Makes a diverged run sound again: its tensors are being replaced.
    void recover();
    uint64_t steps() const { return steps_; }

  private:
    void record(StepSlot& slot, uint32_t rows, const RenormLimits& renorm);
    StepSlot& slot_of(Ticket ticket);
    void note_divergence(const StepSlot& slot);

    Device& device_;
    Model& model_;
    Stream& stream_;
    uint32_t inputs_;
    Buffer first_moment_, second_moment_, health_, summary_scratch_, batch_, results_;
    std::vector<StepSlot> slots_;
    uint64_t steps_ = 0, optimizer_steps_ = 0;
    std::string diverged_;  // what happened; empty while all is well
};

}  // namespace vknorm::detail
