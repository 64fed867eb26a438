// Which examples a step takes: any, or those of a few classes.
#pragma once

#include <random>
#include <vector>

#include <vknorm/data.hpp>

#include "app/experiment/settings.hpp"

namespace lab {

/// Deterministic by seed. Batches of any examples are those of vknorm::BatchOrder.
class Batches {
  public:
    /// Of steps on `data` as the settings say.
    Batches(const vknorm::Dataset& data, const Settings& settings);

    /// The examples of the next step.
    std::vector<uint32_t> next();
    /// As vknorm::BatchOrder has it.
    double epoch() const { return order_.epoch(); }
    uint64_t taken() const { return order_.taken(); }
    void seek(uint64_t batches);

  private:
    /// As many as `count`, of a few classes drawn by the step's number.
    std::vector<uint32_t> of_few_classes(size_t count) const;

    vknorm::BatchOrder order_;
    uint64_t seed_;
    uint32_t classes_together_, batch_;
    std::vector<std::vector<uint32_t>> by_class_;
};

}  // namespace lab
