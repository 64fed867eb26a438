// Running a call on a device and comparing what it gives with what it should give.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <vknorm/stream.hpp>

#include "check/operation.hpp"

namespace vknorm::check {

struct Outcome {
    HostTensors results;
    std::map<std::string, testing::Deviation> deviations;  ///< of each tensor that was expected
    std::vector<std::string> failures;                     ///< one for every tensor that is off
};

/// Throws what the operation throws.
HostTensors run(Device& device, const Call& call);
/// What each pass takes on the device: the median of some runs, in the order of the passes. Empty where the
/// device cannot measure.
std::vector<Timing> measure(Device& device, const Call& call);
Outcome compare(const Call& call, HostTensors results, const Expectations& expected);

}  // namespace vknorm::check
