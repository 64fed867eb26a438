// A Completion knows which submissions to a device's queue have completed, by one timeline semaphore or by
// fences, and keeps what they use until then.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "vulkan/owned.hpp"

namespace vknorm::detail {

/// Submissions are numbered from 1, in the order of the queue: each completes after those before it. Any
/// thread may use it.
class Completion {
  public:
    /// Something that commands use is kept by whoever shares it.
    using Kept = std::shared_ptr<const void>;

    explicit Completion(const DeviceState& device);

    /// Submits `commands`, which use `kept`, and returns the number. When it throws, nothing was submitted.
    uint64_t submit(VkCommandBuffer commands, Kept kept);
    /// Keeps something else that the submission uses. It must not have completed for long.
    void keep(uint64_t number, Kept kept);
    bool keeps_anything() const;

    uint64_t last() const { return last_; }
    bool reached(uint64_t number);
    bool idle() { return reached(last()); }
    /// Waits in slices, so that the loss of the device ends it. It returns false after `timeout`.
    bool wait(uint64_t number, std::chrono::milliseconds timeout);
    void wait(uint64_t number);
    /// Waits on behalf of a destructor. It returns false when the submission may still be running.
    bool wait_before_destruction(uint64_t number) noexcept;

  private:
    struct Flight {
        uint64_t number = 0;
        std::shared_ptr<const OwnedFence> fence{};  // a wait shares it; it is null with a timeline
        std::vector<Kept> kept{};
    };

    bool wait_slice(uint64_t number, std::chrono::nanoseconds slice);
    void note(uint64_t completed);

    const DeviceState& device_;
    OwnedSemaphore timeline_;
    std::atomic<uint64_t> last_ = 0, completed_ = 0;
    mutable std::mutex mutex_;
    std::list<Flight> in_flight_;
};

}  // namespace vknorm::detail
