// A Completion knows which submissions of a stream have completed: by one timeline semaphore, or by fences.
#pragma once

#include <chrono>
#include <deque>
#include <vector>

#include <vknorm/stream.hpp>

#include "vulkan/owned.hpp"

namespace vknorm::detail {

/// No wait is longer, so that whoever waits learns that the device was lost.
inline constexpr std::chrono::milliseconds longest_slice{100};

class Completion {
  public:
    explicit Completion(const DeviceState& device);

    /// Submits `commands`; tickets grow by one. When it throws, nothing was submitted.
    void submit(VkCommandBuffer commands, Ticket ticket);
    bool reached(Ticket ticket);
    /// Waits in slices, so that the loss of the device ends it. It returns false after `timeout`.
    bool wait(Ticket ticket, std::chrono::nanoseconds timeout);

  private:
    struct Flight {
        Ticket ticket;
        OwnedFence fence;
    };

    OwnedFence take_fence();
    bool wait_slice(Ticket ticket, uint64_t nanoseconds);

    const DeviceState& device_;
    OwnedSemaphore timeline_;
    std::deque<Flight> in_flight_;
    std::vector<OwnedFence> spare_;
    Ticket completed_ = 0;
};

}  // namespace vknorm::detail
