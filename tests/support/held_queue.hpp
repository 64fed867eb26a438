// A device whose queue stands still, so that a test can look at work in flight.
#pragma once

#include <vknorm/stream.hpp>

namespace vknorm::testing {

class HeldQueue {
  public:
    /// Why not: tests skip with it where mode().gpu_assisted is true.
    static constexpr const char* impossible = "the validation layer waits for every submission";

    /// Submits to the device what holds up everything that is submitted later, until release().
    explicit HeldQueue(Device& device);
    /// Releases.
    ~HeldQueue();
    HeldQueue(const HeldQueue&) = delete;

    void release();

  private:
    Device device_;
    VkEvent event_ = VK_NULL_HANDLE;
    Stream stream_;
};

}  // namespace vknorm::testing
