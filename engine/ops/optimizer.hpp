// One optimizer step over all parameters, or none of it when the run has diverged.
#pragma once

#include <vknorm/network.hpp>

namespace vknorm::detail {

/// Throws std::invalid_argument for numbers out of range.
void check(const Optimizer& optimizer);

/// Flat buffers at multiples of 256 bytes, in whole vectors of four; padding that is zero stays zero.
struct OptimizerStep {
    BufferView parameters{};  ///< in and out
    BufferView gradient{};    ///< in
    BufferView first_moment{},
        second_moment{};  ///< in and out; SGD: velocity if it has momentum, and not used
    BufferView health{};  ///< in: a diverged run keeps all of this as it is
    /// What the norms updated in this step, and its copy of the step before: a sound step copies the former
    /// to the latter, a diverged one the other way. Absent when no statistics are kept.
    BufferView working{}, committed{};
};

/// `step` counts the optimizer's own steps from 1: Adam's bias correction.
void optimizer_step(Recorder& recorder, const Optimizer& optimizer, uint64_t step,
                    const OptimizerStep& arguments);

}  // namespace vknorm::detail
