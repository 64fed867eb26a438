// Training in float64, and how far float32 may stray from it.
//
// The bounds are measured in the reference: it runs again with a random error of up to u = 2^-24 times the
// magnitudes added up in every result, as float32 makes them, and the largest stray over several such runs,
// times four, is the bound. Over several steps this is the per-step error with its growth from step to step,
// kinks of ReLU included. Two ways to train in float32 may be twice as far from each other.
#pragma once

#include "reference/network_reference.hpp"
#include "support/compare.hpp"

namespace vknorm::reference {

inline constexpr int noisy_runs = 6;
inline constexpr double safety = 4, unit_roundoff = 0x1p-24;

double largest_difference(const Values& a, const Values& b);

struct BoundedRun {
    testing::Expected losses, gradient_norms;  ///< of each step
    testing::Expectations tensors;             ///< at the end
};
BoundedRun bounded_run(const NetworkReference& start, const std::vector<Labelled>& batches,
                       const StepOptions& options);

}  // namespace vknorm::reference
