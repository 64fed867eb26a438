// A large copy that takes part in a race: its times tell whether others were using the machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/measure.hpp"

namespace vknorm::bench {

class Sentinel {
  public:
    /// memcpy by the machine's threads.
    Sentinel();
    /// The same for a CPU device; for others a copy on the device.
    explicit Sentinel(Device& device);

    Sample copy();
    /// Why copies with these times show that others were at work; empty when they do not.
    std::string contention(const Times& times) const;

  private:
    std::vector<char> from_, to_;  // of the host, or
    Buffer source_, target_;       // of the device
    std::optional<DeviceClock> clock_;
};

}  // namespace vknorm::bench
