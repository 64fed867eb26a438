// What a training step is made of and what it comes to: the products of layers in GFLOP/s, and steps per
// second of networks with batch normalization, a perceptron and a residual one, their batches picked on the
// fly, beside peers.
#pragma once

#include <vector>

#include <vknorm/device.hpp>

#include "bench/findings.hpp"
#include "bench/peer.hpp"

namespace vknorm::bench {

/// Verifies and times. Throws std::runtime_error when a result is wrong.
Findings measure_training(Device& device, const std::vector<Peer*>& peers, size_t rounds);

}  // namespace vknorm::bench
