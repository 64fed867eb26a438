// The Vulkan device that drawing and training share: made here, adopted by the engine, one queue behind one
// mutex.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

#include <vknorm/device.hpp>

namespace lab {

struct GpuOptions {
    std::string select;  ///< as vknorm::DeviceOptions::select
    bool validation = false;
    std::function<void(std::string_view)> on_validation_message;
    std::vector<const char*> window_extensions;  ///< instance extensions; empty: nothing is ever presented
};

/// Throws vknorm::Error as the constructor of vknorm::Device does.
class Gpu {
  public:
    explicit Gpu(const GpuOptions& options);
    ~Gpu();
    Gpu(const Gpu&) = delete;
    Gpu& operator=(const Gpu&) = delete;

    const vknorm::DeviceInfo& info() const { return info_; }
    VkInstance instance() const { return instance_; }
    VkPhysicalDevice physical_device() const { return physical_device_; }
    VkDevice device() const { return device_; }
    uint32_t queue_family() const { return queue_family_; }
    VkQueue queue() const { return queue_; }

    /// For the constructor of vknorm::Device; this object must outlive that one.
    vknorm::AdoptedDevice adopted();

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
    std::mutex queue_mutex_;
    std::vector<const char*> extensions_;
    bool timeline_semaphore_ = false, shader_int64_ = false;
};

/// Throws vknorm::Error naming `call` unless `result` is a success.
void check(VkResult result, const char* call);

}  // namespace lab
