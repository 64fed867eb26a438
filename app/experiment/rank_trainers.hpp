// A run by itself, or one that several ranks train together: threads that share a device, each with a trainer
// of its own and a part of every batch. They live for one call at a time, so that a run goes on step by step.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <vknorm/exchange.hpp>

#include "app/experiment/lockstep.hpp"

namespace lab {

/// For use by one thread at a time.
class RankTrainers {
  public:
    /// As Trainer, for so many ranks; 1: without an exchange.
    RankTrainers(vknorm::Device& device, const Settings& settings, const RunData& data, uint32_t ranks);

    /// Calls it with the trainer of every rank, at the same time: for what ranks do together. Throws what it
    /// throws.
    void all(const std::function<void(Trainer&)>& call);
    /// That of rank 0, for questions that it can answer alone.
    Trainer& first() { return *trainers_.front(); }
    const Trainer& first() const { return *trainers_.front(); }

  private:
    class Seat;

    std::vector<std::shared_ptr<Seat>> seats_;  // of the ranks; none: there is one trainer
    std::vector<std::unique_ptr<Trainer>> trainers_;
};

}  // namespace lab
