// Training steps of a network: what is in flight, how a step is recorded, and whether the run is still sound.
#pragma once

#include <string>
#include <vector>

#include "nn/flight.hpp"
#include "nn/shared_step.hpp"

namespace vknorm::detail {

/// How the next steps go.
struct TrainingOptions {
    Optimizer optimizer = Sgd{};
    float max_gradient_norm = 0;  ///< 0: any
    Statistics statistics = Statistics::batch;
    bool update_running = true;
    bool train_affine = true;
    Frozen frozen{};
    std::vector<NetworkProbe> probes{};
    std::vector<size_t> captured{};  ///< nodes, norms
};

/// Keeps references to graph and stream; uses the stream from initialize() on.
class Training {
  public:
    Training(Device& device, DeviceGraph& graph, Stream& stream);

    /// Sound, and with an optimizer that has not stepped yet.
    void initialize();

    TrainingOptions options{};

    /// Waits only when four steps are in flight, or for other ranks. Throws Diverged when that is known, and
    /// RefusedByAll for what the parts of all ranks cannot be trained on.
    Ticket step(std::span<const float> inputs, std::span<const uint32_t> labels, const RenormLimits& renorm);
    /// Takes part in a step of other ranks, without rows. False when all have joined, and there is none.
    bool join();
    /// Compiles what such steps need.
    void prepare(uint32_t rows);
    /// Waits for the step. Throws Diverged, and std::invalid_argument for a ticket that is none of the
    /// latest.
    StepResult result(Ticket ticket);
    void reset_optimizer();
    void set_frozen(const Frozen& frozen);
    /// As Propagation has it.
    std::vector<bool> frozen_statistics() const { return among(options.frozen.statistics); }
    /// Makes a diverged run sound again: its tensors are being replaced.
    void recover();
    uint64_t steps() const { return steps_; }
    VkDeviceSize optimizer_bytes() const { return first_moment_.bytes() + second_moment_.bytes(); }
    /// The next step counts on from there.
    void set_steps(uint64_t steps);

    // What a run goes on from, beside the tensors of the store.
    /// Waits for the steps in flight, and notes whether they diverged.
    void settle();
    struct Progress {
        uint64_t steps = 0, optimizer_steps = 0;
        uint32_t refused_batches = 0;
    };
    /// Of the steps before settle().
    Progress progress();
    void set_progress(const Progress& progress);
    struct Moment {
        const char* name;
        const Buffer& values;  ///< in the places of the parameters
    };
    /// Those that the optimizer keeps.
    std::vector<Moment> moments() const;

  private:
    using Share = std::function<void(const ExchangedBuffer&)>;

    /// Such as "step 7": the next one.
    std::string next_step() const { return "step " + std::to_string(steps_ + 1); }
    /// What all ranks bring to the next step.
    SharedStep shared(std::span<const uint32_t> labels, bool joined);
    void check(const SharedStep& shared) const;
    Ticket step(std::span<const float> inputs, std::span<const uint32_t> labels, const RenormLimits& renorm,
                const SharedStep& shared);
    /// The weights of those rows.
    float weight_sum(std::span<const uint32_t> labels) const;
    /// Makes what a step measured that of all ranks.
    void share_sums(Flight& flight, float weight_sum);
    /// The passes through the network and back.
    void record_gradient(Flight& flight, float weight_sum, const RenormLimits& renorm, const Share& share);
    /// Adds the gradient of the i-th micro-batch to those before; that of the last one becomes the sum.
    void record_sum(size_t i);
    /// What comes of the gradient.
    void record_update(Flight& flight, float weight_sum);
    /// Of the parameters: those that the optimizer updates, unless they are frozen, when their gradient is
    /// 0.
    Range trained() const;
    /// Those that are not frozen.
    std::vector<Range> trained_parts() const;
    /// For each node whether it is among those.
    std::vector<bool> among(const std::vector<std::string>& nodes) const;
    /// Of divergence: those that tell of nodes.
    uint32_t words() const { return static_cast<uint32_t>(graph_.node_count()); }
    Flight& flight_of(Ticket ticket);
    Flight& latest_flight();
    void note_divergence(const Flight& flight);

    Device& device_;
    DeviceGraph& graph_;
    Stream& stream_;
    Buffer first_moment_, second_moment_, divergence_, summary_scratch_, batch_, losses_;
    Buffer gradient_sum_;  // empty where a step has one micro-batch
    std::vector<Flight> flights_;
    uint64_t steps_ = 0, optimizer_steps_ = 0;
    std::string diverged_;  // what happened; empty while all is well
};

}  // namespace vknorm::detail
