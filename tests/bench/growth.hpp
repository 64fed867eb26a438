// Batch normalization of tensors from 4 MB to 1 GB: the time for an element, and the memory that the engine
// takes beyond the caller's buffers, should stay as they are.
#pragma once

#include <string>

#include "bench/findings.hpp"

namespace vknorm::bench {

/// On the device that `select` names, in two tensors at a time: lavapipe has 2 GB. Verifies and times.
/// Throws std::runtime_error when a result is wrong.
Findings measure_growth(const std::string& select, size_t rounds);

}  // namespace vknorm::bench
