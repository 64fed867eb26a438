// A program that uses Vulkan without the engine: its own instance (under validation), device, queue, buffers
// and command buffers, which the engine may then adopt.
#pragma once

#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include <vknorm/stream.hpp>

#include "shaders/embedded.hpp"
#include "vulkan/functions.hpp"

namespace vknorm::testing {

class RawVulkan {
  public:
    /// On the device that the command line selected. `features`: with push descriptors and timeline
    /// semaphores, where the device has them.
    explicit RawVulkan(bool features = true);
    ~RawVulkan();
    RawVulkan(const RawVulkan&) = delete;

    AdoptedDevice adopted();

    /// Storage and transfer usage, in memory of its own, mapped and coherent.
    struct RawBuffer {
        VkBuffer buffer;
        VkDeviceMemory memory;
        VkDeviceSize bytes;
        float* values;

        BufferView view() const { return {buffer, 0, bytes}; }
    };
    RawBuffer& create_buffer(const std::vector<float>& values);

    /// A command buffer in the recording state.
    VkCommandBuffer begin();
    void submit_and_wait(VkCommandBuffer commands);
    /// Everything before it, by whatever stage, before everything after it.
    void barrier(VkCommandBuffer commands);
    /// Copies with a pipeline that takes its two buffers from descriptor set 1.
    void copy_through_set_1(VkCommandBuffer commands, const RawBuffer& source, const RawBuffer& target);

    detail::Functions vk;
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    uint32_t queue_family = 0;
    VkQueue queue = VK_NULL_HANDLE;
    std::mutex queue_mutex;

  private:
    void create_instance();
    void create_device(bool features);
    void create_copy_pipeline();

    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    std::vector<const char*> extensions_;
    bool timeline_ = false;
    VkCommandPool commands_ = VK_NULL_HANDLE;
    VkDescriptorPool sets_ = VK_NULL_HANDLE;
    VkDescriptorSetLayout empty_set_layout_ = VK_NULL_HANDLE, set_layout_ = VK_NULL_HANDLE;
    VkPipelineLayout layout_ = VK_NULL_HANDLE;
    VkPipeline pipeline_ = VK_NULL_HANDLE;
    std::deque<RawBuffer> buffers_;
};

}  // namespace vknorm::testing
