#include "vulkan/completion.hpp"

#include <algorithm>

namespace vknorm::detail {

namespace {

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

OwnedFence Completion::take_fence() {
    if (spare_.empty()) return create_fence(device_);
    OwnedFence fence = std::move(spare_.back());
    spare_.pop_back();
    const VkFence handle = fence.get();
    device_.check(device_.vk.ResetFences(device_.device, 1, &handle), "vkResetFences");
    return fence;
}

void Completion::submit(VkCommandBuffer commands, Ticket ticket) {
    VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    const VkSemaphore semaphore = timeline_.get();
    VkTimelineSemaphoreSubmitInfo values = {VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &ticket;
    VkFence fence = VK_NULL_HANDLE;
    if (semaphore != VK_NULL_HANDLE) {
        info.pNext = &values;
        info.signalSemaphoreCount = 1;
        info.pSignalSemaphores = &semaphore;
    } else {
        in_flight_.push_back({ticket, take_fence()});
        fence = in_flight_.back().fence.get();
    }
    const std::lock_guard lock(*device_.queue_mutex);
    const VkResult result = device_.vk.QueueSubmit(device_.queue, 1, &info, fence);
    if (result != VK_SUCCESS && fence != VK_NULL_HANDLE) in_flight_.pop_back();
    device_.check(result, "vkQueueSubmit");
}

bool Completion::reached(Ticket ticket) {
    return ticket <= completed_ || wait_slice(ticket, 0);
}

bool Completion::wait_slice(Ticket ticket, uint64_t nanoseconds) {
    if (timeline_.get() != VK_NULL_HANDLE) {
        const VkSemaphore semaphore = timeline_.get();
        VkSemaphoreWaitInfo info = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
        info.semaphoreCount = 1;
        info.pSemaphores = &semaphore;
        info.pValues = &ticket;
        const VkResult result = device_.vk.WaitSemaphores(device_.device, &info, nanoseconds);
        device_.check(result, "vkWaitSemaphores");
        if (result != VK_SUCCESS) return false;
    } else {
        // A fence is signalled after everything that was submitted before it.
        const auto flight = std::find_if(in_flight_.begin(), in_flight_.end(),
                                         [ticket](const Flight& other) { return other.ticket == ticket; });
        if (!wait_for_fence(device_, flight->fence.get(), nanoseconds)) return false;
        while (!in_flight_.empty() && in_flight_.front().ticket <= ticket) {
            spare_.push_back(std::move(in_flight_.front().fence));
            in_flight_.pop_front();
        }
    }
    completed_ = ticket;
    return true;
}

bool Completion::wait(Ticket ticket, std::chrono::nanoseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        if (ticket <= completed_) return true;
        const auto left = deadline - std::chrono::steady_clock::now();
        const auto next =
            std::clamp<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0), longest_slice);
        if (wait_slice(ticket, static_cast<uint64_t>(next.count()))) return true;
        if (left <= std::chrono::nanoseconds(0)) return false;
    }
}

}  // namespace vknorm::detail
