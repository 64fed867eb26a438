// The Vulkan device that draws. Training has one of its own on the same physical device: on a shared queue a
// picture would wait for the whole training step before it, and the next step for the picture.
#pragma once

#include <functional>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

#include <vknorm/device.hpp>

namespace lab {

struct GpuOptions {
    bool validation = false;
    std::function<void(std::string_view)> on_validation_message;
    std::vector<const char*> window_extensions;  ///< instance extensions; empty: nothing is ever presented
};

/// Throws vknorm::Error when `device` is gone, vknorm::Unsupported when it cannot draw, or present as asked.
class Gpu {
  public:
    Gpu(const vknorm::DeviceInfo& device, const GpuOptions& options);
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    const vknorm::DeviceInfo& info() const { return info_; }
    VkInstance instance() const { return instance_; }
    VkPhysicalDevice physical_device() const { return physical_device_; }
    VkDevice device() const { return device_; }
    uint32_t queue_family() const { return queue_family_; }
    VkQueue queue() const { return queue_; }

    void submit(const VkSubmitInfo& submission, VkFence fence);
    VkResult present(const VkPresentInfoKHR& presentation);
    void wait(VkFence fence);
    void wait_idle();
    /// Allocates memory of a type with all of `wanted`.
    VkDeviceMemory allocate(const VkMemoryRequirements& requirements, VkMemoryPropertyFlags wanted);

  private:
    void create_instance(const GpuOptions& options);
    void pick_physical_device();
    void create_device(bool presents);
    void destroy();

    vknorm::DeviceInfo info_;
    std::function<void(std::string_view)> on_validation_message_;
    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    uint32_t queue_family_ = 0;
    VkQueue queue_ = VK_NULL_HANDLE;
};

/// Throws vknorm::Error naming `call` unless `result` is a success.
void check(VkResult result, const char* call);

}  // namespace lab
