// A twin's network, or its replicas: as many as the twin has devices, each with a part of every batch, all
// simulated on one device. They are equal between two calls. Threads, one for each, live for one call at a
// time, so that a run goes on step by step.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <vknorm/network.hpp>

namespace lab {

/// For use by one thread at a time. What is given to a call is for all replicas and, where the whole run has
/// an exchange, all ranks: each takes its share.
class Replicas {
  public:
    using Make = std::function<vknorm::Network(vknorm::Exchange*)>;
    /// So many, as `make` makes them for their end of an exchange. `exchange` is that of the whole run, or
    /// null; with one there is one replica on each rank.
    Replicas(uint32_t count, vknorm::Exchange* exchange, const Make& make);
    Replicas(Replicas&&) noexcept;
    Replicas& operator=(Replicas&&) noexcept;
    ~Replicas();

    /// For questions that one can answer alone.
    vknorm::Network& first() { return networks_.front(); }
    const vknorm::Network& first() const { return networks_.front(); }
    /// Calls it with every replica: for what each does by itself.
    void each(const std::function<void(vknorm::Network&)>& call);

    void set_probes(std::vector<vknorm::NetworkProbe> probes);
    /// Every micro-batch is shared out by itself.
    void train_step(std::span<const float> inputs, std::span<const uint32_t> labels);
    /// Of the latest step: probes are of the rows of all replicas, and so is what a norm is captured with
    /// where these have normalized with the same statistics; else that is the first one's.
    vknorm::StepResult result();
    std::vector<vknorm::Timing> timings() { return first().timings(tickets_.front()); }
    /// As vknorm::Network::evaluate; no chunk is divided.
    vknorm::Evaluation evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                                vknorm::Statistics statistics, uint32_t chunk = 0);
    void recompute_running_statistics(std::span<const float> inputs);

  private:
    class Seat;

    /// Calls it with every replica, at the same time: for what they do together. Throws what it throws.
    void all(const std::function<void(vknorm::Network&, size_t replica)>& call);

    std::vector<std::unique_ptr<Seat>> seats_;  // of the replicas; none: there is one
    std::vector<vknorm::Network> networks_;
    std::vector<vknorm::Ticket> tickets_;  // of the latest step, of each
    std::vector<vknorm::NetworkProbe> probes_;
};

}  // namespace lab
