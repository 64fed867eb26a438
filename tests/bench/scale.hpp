// What a training step comes to with ranks: measured with up to four here, where all share one machine, and
// beyond that a model of messages, bytes and links, whose messages and bytes the measured ones prove.
#pragma once

#include <vknorm/device.hpp>

#include "bench/findings.hpp"

namespace vknorm::bench {

/// Throws std::runtime_error when a step exchanges other messages or bytes than the model says.
Findings measure_scale(Device& device, size_t rounds);

}  // namespace vknorm::bench
