// What ranks tell each other before a training step, and at its end.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

namespace vknorm::detail {

/// What one rank brings to a step.
struct RankShare {
    uint32_t rows = 0;
    float weight_sum = 0;  ///< of the rows
    float learning_rate = 0;
    uint32_t joined = 0;  ///< 1: it has no more batches
};

/// What all ranks refuse alike, so that nobody waits for the others.
class RefusedByAll : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

/// To be called where an exception is being handled: ends the run of the others, and tells why, unless it is
/// one that all ranks have met alike.
void tell_of_failure(Exchange& exchange, uint64_t step);

/// Of all ranks, in their order; without an exchange there is one.
class SharedStep {
  public:
    /// `step` is in words. Throws RefusedByAll where learning rates differ.
    SharedStep(Exchange* exchange, const std::string& step, const RankShare& own);

    bool all_joined() const;
    uint64_t rows() const;
    float weight_sum() const;
    /// Of those that have not joined.
    float learning_rate() const;
    /// The rows of each statistics group in that micro-batch of so many.
    std::vector<uint64_t> rows_of_groups(uint32_t group_size, size_t micro_batch, uint32_t count) const;

  private:
    std::vector<RankShare> parts_;
};

/// What a step measured besides the gradient: of one rank, or of all.
struct StepSums {
    double loss = 0;
    uint64_t correct = 0, rows = 0;
};

/// Adds up what ranks have measured, and takes the smallest of each of the words that tell where something
/// was not finite.
StepSums add_up(Exchange& exchange, const std::string& where, const StepSums& own,
                std::vector<uint32_t>& words);

}  // namespace vknorm::detail
