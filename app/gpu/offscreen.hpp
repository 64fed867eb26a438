// Pictures of frames, with no display.
#pragma once

#include "app/gpu/png.hpp"
#include "app/gpu/renderer.hpp"

namespace lab {

/// An image of a fixed size that frames are drawn into and read back from.
class Offscreen {
  public:
    Offscreen(Gpu& gpu, const Renderer& renderer, uint32_t width, uint32_t height);
    ~Offscreen();
    Offscreen(const Offscreen&) = delete;
    Offscreen& operator=(const Offscreen&) = delete;

    /// Draws and waits for the pixels.
    Picture draw(const Frame& frame);

  private:
    void create_image();
    void create_readback();
    void destroy();

    Gpu& gpu_;
    const Renderer& renderer_;
    VkExtent2D extent_;
    FrameCommands commands_;
    VkRenderPass pass_ = VK_NULL_HANDLE;
    VkImage image_ = VK_NULL_HANDLE;
    VkDeviceMemory image_memory_ = VK_NULL_HANDLE;
    VkImageView view_ = VK_NULL_HANDLE;
    VkFramebuffer framebuffer_ = VK_NULL_HANDLE;
    VkBuffer readback_ = VK_NULL_HANDLE;
    VkDeviceMemory readback_memory_ = VK_NULL_HANDLE;
    const uint8_t* pixels_ = nullptr;
};

}  // namespace lab
