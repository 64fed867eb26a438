// Whatever is attempted fails at every call and every allocation, one after the other, until it succeeds.
#pragma once

#include <functional>

#include "support/raw_vulkan.hpp"

namespace vknorm::testing {

/// A device whose calls fail in sweeps.
class FaultyDevice {
  public:
    explicit FaultyDevice(const std::function<void(Capabilities&)>& clamp = {});

    RawVulkan raw;
    Device device;

  private:
    AdoptedDevice adopted(const std::function<void(Capabilities&)>& clamp);
};

/// Whether a step may be repeated once it has succeeded: a call may fail and the step get along without it.
enum class Repeat { forbidden, allowed };

/// Attempts `step`: every call fails once with each of six results, which must be what Error says, and what
/// Device::lost() remembers. Then the device is found again.
void sweep_calls(Device& device, const std::function<void()>& step, Repeat repeat = Repeat::forbidden);
/// Attempts `step`: every allocation fails once.
void sweep_allocations(const std::function<void()>& step, Repeat repeat = Repeat::forbidden);
/// So many calls and allocations have failed.
struct FaultPoints {
    int calls = 0, allocations = 0;
};
FaultPoints fault_points();

}  // namespace vknorm::testing
