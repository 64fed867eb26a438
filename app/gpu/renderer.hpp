// ImGui's Vulkan backend, set up for one colour format: turns a frame's draw data into commands.
#pragma once

#include <vulkan/vulkan.h>

#include "app/gpu/gpu.hpp"
#include "app/ui/screen.hpp"

namespace lab {

/// A render pass with one colour attachment that is cleared and left in `final_layout`.
VkRenderPass make_render_pass(VkDevice device, VkFormat format, VkImageLayout final_layout);

/// One command buffer with its fence, used for one frame after the other.
class FrameCommands {
  public:
    explicit FrameCommands(Gpu& gpu);
    ~FrameCommands();
    FrameCommands(const FrameCommands&) = delete;
    FrameCommands& operator=(const FrameCommands&) = delete;

    VkCommandBuffer begin();
    /// Submits and waits until the device is done. Semaphores may be null.
    void finish(VkSemaphore wait, VkSemaphore signal);

  private:
    Gpu& gpu_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
};

/// The current ImGui context, with its fonts built, must outlive it. Draw data may be recorded into any
/// render pass of the same format.
class Renderer {
  public:
    Renderer(Gpu& gpu, VkFormat format);
    ~Renderer();
    Renderer(const Renderer&) = delete;
    Renderer& operator=(const Renderer&) = delete;

    VkFormat format() const { return format_; }
    /// Draws into `target` between the begin and the end of `pass`, over the whole of `extent`.
    void record(VkCommandBuffer commands, const Frame& frame, VkRenderPass pass, VkFramebuffer target,
                VkExtent2D extent) const;

  private:
    Gpu& gpu_;
    VkFormat format_;
    VkRenderPass pass_ = VK_NULL_HANDLE;
    VkDescriptorPool pool_ = VK_NULL_HANDLE;
};

}  // namespace lab
