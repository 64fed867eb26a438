// A window with its swapchain, and the way from its events to the input queue.
#pragma once

#include <vector>

#include "app/gpu/renderer.hpp"
#include "app/ui/input.hpp"

struct GLFWwindow;

namespace lab {

/// Whether a display answers. GLFW stays initialized until the program ends.
bool display_available();
/// Instance extensions that windows need.
std::vector<const char*> window_extensions();

class Window {
  public:
    /// Sizes in screen coordinates; the user cannot make it smaller than `least`, unless the desktop is.
    /// Throws vknorm::Error when `gpu` cannot present here.
    Window(Gpu& gpu, const char* title, VkExtent2D wanted, VkExtent2D least);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    /// The display's, 1 for 96 dots per inch.
    float scale() const;
    VkFormat format() const { return format_.format; }
    VkExtent2D extent() const { return extent_; }
    /// Where events go from now on; `input` must outlive the window. What is cut and pasted in the current
    /// ImGui context is so in other programs, too.
    void connect(InputQueue& input);

    /// Hands out the events that are there, or waits for some for at most so long.
    void wait(double seconds);
    bool close_requested() const;

    /// Draws and presents; false when nothing could be shown (minimised, or just being resized).
    bool draw(const Renderer& renderer, const Frame& frame);
    /// Follows the window's size. False while it has none.
    bool ready();

  private:
    struct Image {
        VkImageView view = VK_NULL_HANDLE;
        VkFramebuffer framebuffer = VK_NULL_HANDLE;
        VkSemaphore rendered = VK_NULL_HANDLE;  // one per image: presentation may still wait for an older one
    };

    void destroy();
    void choose_format();
    void create_swapchain(VkExtent2D extent);
    void create_images();
    void destroy_images();

    Gpu& gpu_;
    GLFWwindow* window_ = nullptr;
    VkSurfaceKHR surface_ = VK_NULL_HANDLE;
    VkSurfaceFormatKHR format_{};
    VkRenderPass pass_ = VK_NULL_HANDLE;
    VkSwapchainKHR swapchain_ = VK_NULL_HANDLE;
    VkExtent2D extent_{};
    bool stale_ = true;
    std::vector<Image> images_;
    VkSemaphore acquired_ = VK_NULL_HANDLE;
    FrameCommands commands_;
};

}  // namespace lab
