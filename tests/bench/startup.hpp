// How long a process takes from its launch to the first result of a batch normalization, step by step, beside
// what the driver alone takes until there is a VkDevice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/findings.hpp"

namespace vknorm::bench {

/// What a launched process does: "driver" or "vknorm".
const std::vector<std::string>& startup_parts();

/// Does this part and prints its steps; `launched` are the nanoseconds that steady_clock showed when this
/// process was launched. Throws std::runtime_error when the result is wrong.
void start_up(const std::string& part, const std::string& select, int64_t launched);

/// Launches this program anew for each part, `rounds` times and twice before.
Findings measure_startup(const DeviceInfo& device, size_t rounds);

}  // namespace vknorm::bench
