// Vulkan handles are destroyed with their owners.
#pragma once

#include <utility>

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

/// `destroy` is the member of Functions that destroys `Handle`.
template <class Handle, auto destroy>
class Owned {
  public:
    Owned() = default;
    Owned(const DeviceState& device, Handle handle) : device_(&device), handle_(handle) {}
    ~Owned() {
        if (handle_ != VK_NULL_HANDLE) (device_->vk.*destroy)(device_->device, handle_, nullptr);
    }
    Owned(Owned&& other) noexcept
        : device_(other.device_), handle_(std::exchange(other.handle_, Handle(VK_NULL_HANDLE))) {}
    Owned& operator=(Owned other) noexcept {
        std::swap(device_, other.device_);
        std::swap(handle_, other.handle_);
        return *this;
    }

    Handle get() const { return handle_; }

  private:
    const DeviceState* device_ = nullptr;
    Handle handle_ = VK_NULL_HANDLE;
};

using OwnedBufferView = Owned<VkBufferView, &Functions::DestroyBufferView>;
using OwnedCommandPool = Owned<VkCommandPool, &Functions::DestroyCommandPool>;
using OwnedDescriptorPool = Owned<VkDescriptorPool, &Functions::DestroyDescriptorPool>;
using OwnedDescriptorSetLayout = Owned<VkDescriptorSetLayout, &Functions::DestroyDescriptorSetLayout>;
using OwnedFence = Owned<VkFence, &Functions::DestroyFence>;
using OwnedPipeline = Owned<VkPipeline, &Functions::DestroyPipeline>;
using OwnedPipelineCache = Owned<VkPipelineCache, &Functions::DestroyPipelineCache>;
using OwnedPipelineLayout = Owned<VkPipelineLayout, &Functions::DestroyPipelineLayout>;
using OwnedQueryPool = Owned<VkQueryPool, &Functions::DestroyQueryPool>;
using OwnedSemaphore = Owned<VkSemaphore, &Functions::DestroySemaphore>;
using OwnedShaderModule = Owned<VkShaderModule, &Functions::DestroyShaderModule>;

}  // namespace vknorm::detail
