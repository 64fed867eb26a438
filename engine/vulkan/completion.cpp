#include "vulkan/completion.hpp"

#include <algorithm>
#include <thread>

namespace vknorm::detail {

namespace {

using Clock = std::chrono::steady_clock;

// No wait is longer, so that whoever waits learns that the device was lost.
constexpr std::chrono::milliseconds longest_slice{100};

/// The end of a wait that begins now, which may be longer than the clock can tell.
Clock::time_point deadline_after(std::chrono::milliseconds timeout) {
    const Clock::time_point now = Clock::now();
    const auto longest = std::chrono::floor<std::chrono::milliseconds>(Clock::time_point::max() - now);
    return timeout > longest ? Clock::time_point::max() : now + std::max(timeout, timeout.zero());
}

Clock::duration slice_before(Clock::time_point deadline) {
    return std::clamp<Clock::duration>(deadline - Clock::now(), Clock::duration::zero(), longest_slice);
}

OwnedFence create_fence(const DeviceState& device) {
    const VkFenceCreateInfo info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    device.check(device.vk.CreateFence(device.device, &info, nullptr, &fence), "vkCreateFence");
    return {device, fence};
}

bool wait_for_fence(const DeviceState& device, VkFence fence, uint64_t nanoseconds) {
    const VkResult result = device.vk.WaitForFences(device.device, 1, &fence, VK_TRUE, nanoseconds);
    device.check(result, "vkWaitForFences");
    return result == VK_SUCCESS;
}

bool wait_for_timeline(const DeviceState& device, VkSemaphore timeline, uint64_t value,
                       uint64_t nanoseconds) {
    VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
    info.semaphoreCount = 1;
    info.pSemaphores = &timeline;
    info.pValues = &value;
    const VkResult result = device.vk.WaitSemaphores(device.device, &info, nanoseconds);
    device.check(result, "vkWaitSemaphores");
    return result == VK_SUCCESS;
}

}  // namespace

Completion::Completion(const DeviceState& device) : device_(device) {
    if (!device.capabilities.timeline_semaphores) return;
    VkSemaphoreTypeCreateInfo type = {VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO};
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    const VkSemaphoreCreateInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO, &type, 0};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    device.check(device.vk.CreateSemaphore(device.device, &info, nullptr, &semaphore), "vkCreateSemaphore");
    timeline_ = {device, semaphore};
}

uint64_t Completion::submit(VkCommandBuffer commands, Kept kept) {
    // Numbers are in the order of the queue, because both change under its mutex.
    const std::lock_guard queue_lock(*device_.queue_mutex);
    const uint64_t number = last_ + 1;
    VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    const VkSemaphore semaphore = timeline_.get();
    VkTimelineSemaphoreSubmitInfo values = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &number;
    std::list<Flight> flight(1);
    flight.front().number = number;
    flight.front().kept.push_back(std::move(kept));
    VkFence fence = VK_NULL_HANDLE;
    if (semaphore != VK_NULL_HANDLE) {
        info.pNext = &values;
        info.signalSemaphoreCount = 1;
        info.pSignalSemaphores = &semaphore;
    } else {
        flight.front().fence = std::make_shared<const OwnedFence>(create_fence(device_));
        fence = flight.front().fence->get();
    }
    device_.check(device_.vk.QueueSubmit(device_.queue, 1, &info, fence), "vkQueueSubmit");
    const std::lock_guard lock(mutex_);
    in_flight_.splice(in_flight_.end(), flight);
    last_ = number;
    return number;
}

void Completion::keep(uint64_t number, Kept kept) {
    const std::lock_guard lock(mutex_);
    const auto flight = std::find_if(in_flight_.begin(), in_flight_.end(),
                                     [number](const Flight& other) { return other.number == number; });
    if (flight != in_flight_.end()) flight->kept.push_back(std::move(kept));
}

bool Completion::keeps_anything() const {
    const std::lock_guard lock(mutex_);
    return !in_flight_.empty();
}

bool Completion::reached(uint64_t number) {
    return number <= completed_ || wait_slice(number, {});
}

bool Completion::wait_slice(uint64_t number, std::chrono::nanoseconds slice) {
    const auto nanoseconds = static_cast<uint64_t>(slice.count());
    if (timeline_.get() != VK_NULL_HANDLE) {
        if (!wait_for_timeline(device_, timeline_.get(), number, nanoseconds)) return false;
    } else {
        std::shared_ptr<const OwnedFence> fence;
        {
            const std::lock_guard lock(mutex_);
            const auto flight =
                std::find_if(in_flight_.begin(), in_flight_.end(),
                             [number](const Flight& other) { return other.number == number; });
            if (flight == in_flight_.end()) return true;  // another thread has seen it complete
            fence = flight->fence;
        }
        if (!wait_for_fence(device_, fence->get(), nanoseconds)) return false;
    }
    note(number);
    return true;
}

void Completion::note(uint64_t completed) {
    std::list<Flight> done;  // it is destroyed without the lock: what was kept may take others
    const std::lock_guard lock(mutex_);
    completed_ = std::max<uint64_t>(completed_, completed);
    const auto running = std::find_if(in_flight_.begin(), in_flight_.end(),
                                      [this](const Flight& flight) { return flight.number > completed_; });
    done.splice(done.end(), in_flight_, in_flight_.begin(), running);
}

bool Completion::wait(uint64_t number, std::chrono::milliseconds timeout) {
    const Clock::time_point deadline = deadline_after(timeout);
    for (;;) {
        if (number <= completed_) return true;
        device_.require_alive();
        if (wait_slice(number, slice_before(deadline))) return true;
        if (Clock::now() >= deadline) return false;
    }
}

void Completion::wait(uint64_t number) {
    wait(number, std::chrono::milliseconds::max());
}

bool Completion::wait_before_destruction(uint64_t number) noexcept {
    const Clock::time_point deadline = deadline_after(device_.farewell);
    for (;;) {
        try {
            if (number <= completed_ || wait_slice(number, slice_before(deadline))) return true;
        } catch (const Error& error) {
            // A lost device ends what it ran; out of memory may pass.
            if (error.result() == VK_ERROR_DEVICE_LOST) {
                const std::lock_guard queue_lock(*device_.queue_mutex);
                device_.vk.QueueWaitIdle(device_.queue);
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        if (Clock::now() >= deadline) return false;
    }
}

}  // namespace vknorm::detail
