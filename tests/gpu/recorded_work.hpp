// What the engine does on a device that compiles and does nothing else: every kernel it chooses is compiled.
#pragma once

#include <vknorm/device.hpp>

namespace vknorm::testing {

/// The calls of tests/cases.txt. Those that the device does not support are left out.
void run_cases(Device& device);

/// A step of training, evaluation and probes of networks with every optimizer.
void run_training(Device& device);

}  // namespace vknorm::testing
