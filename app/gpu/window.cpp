#include "app/gpu/window.hpp"

#include <GLFW/glfw3.h>
#include <algorithm>
#include <imgui.h>

#include "app/gpu/keys.hpp"

namespace lab {

bool display_available() {
    return glfwInit() && glfwVulkanSupported();
}

std::vector<const char*> window_extensions() {
    uint32_t count = 0;
    const char** const names = glfwGetRequiredInstanceExtensions(&count);
    return {names, names + count};
}

namespace {

// Not larger than what the desktop leaves free.
VkExtent2D on_desktop(VkExtent2D wanted) {
    int x = 0, y = 0, free_width = 0, free_height = 0;
    if (GLFWmonitor* monitor = glfwGetPrimaryMonitor())
        glfwGetMonitorWorkarea(monitor, &x, &y, &free_width, &free_height);
    if (free_width <= 0 || free_height <= 0) return wanted;
    return {std::min(wanted.width, static_cast<uint32_t>(free_width)),
            std::min(wanted.height, static_cast<uint32_t>(free_height))};
}

}  // namespace

Window::Window(Gpu& gpu, const char* title, VkExtent2D wanted, VkExtent2D least) : gpu_(gpu), commands_(gpu) {
    glfwWindowHint(GLFW_CLIENT_API, GLFW_NO_API);
    glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
    const VkExtent2D size = on_desktop(wanted), smallest = on_desktop(least);
    window_ = glfwCreateWindow(static_cast<int>(size.width), static_cast<int>(size.height), title, nullptr,
                               nullptr);
    if (!window_) throw vknorm::Error(VK_ERROR_INITIALIZATION_FAILED, "The window could not be opened");
    glfwSetWindowSizeLimits(window_, static_cast<int>(smallest.width), static_cast<int>(smallest.height),
                            GLFW_DONT_CARE, GLFW_DONT_CARE);
    try {
        check(glfwCreateWindowSurface(gpu.instance(), window_, nullptr, &surface_),
              "glfwCreateWindowSurface");
        VkBool32 presents = VK_FALSE;
        vkGetPhysicalDeviceSurfaceSupportKHR(gpu.physical_device(), gpu.queue_family(), surface_, &presents);
        if (!presents)
            throw vknorm::Unsupported(gpu.info().name +
                                      " cannot present to this display; --device chooses another, "
                                      "--headless needs no display");
        choose_format();
        pass_ = make_render_pass(gpu.device(), format_.format, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        check(vkCreateSemaphore(gpu.device(), &semaphore, nullptr, &acquired_), "vkCreateSemaphore");
        ready();
    } catch (...) {
        destroy();
        throw;
    }
}

Window::~Window() {
    destroy();
}

void Window::destroy() {
    gpu_.wait_idle();
    destroy_images();
    vkDestroySemaphore(gpu_.device(), acquired_, nullptr);
    vkDestroySwapchainKHR(gpu_.device(), swapchain_, nullptr);
    vkDestroyRenderPass(gpu_.device(), pass_, nullptr);
    vkDestroySurfaceKHR(gpu_.instance(), surface_, nullptr);
    glfwDestroyWindow(window_);
}

float Window::scale() const {
    float x = 1, y = 1;
    glfwGetWindowContentScale(window_, &x, &y);
    return std::max(x, 0.5f);
}

void Window::connect(InputQueue& input) {
    glfwSetWindowUserPointer(window_, &input);
    connect_events(window_);
    ImGuiIO& io = ImGui::GetIO();
    io.ClipboardUserData = window_;
    io.SetClipboardTextFn = [](void* window, const char* text) {
        glfwSetClipboardString(static_cast<GLFWwindow*>(window), text);
    };
    io.GetClipboardTextFn = [](void* window) {
        return glfwGetClipboardString(static_cast<GLFWwindow*>(window));
    };
}

void Window::wait(double seconds) {
    glfwWaitEventsTimeout(seconds);
}
bool Window::close_requested() const {
    return glfwWindowShouldClose(window_);
}

void Window::choose_format() {
    uint32_t count = 0;
    check(vkGetPhysicalDeviceSurfaceFormatsKHR(gpu_.physical_device(), surface_, &count, nullptr),
          "vkGetPhysicalDeviceSurfaceFormatsKHR");
    std::vector<VkSurfaceFormatKHR> formats(count);
    check(vkGetPhysicalDeviceSurfaceFormatsKHR(gpu_.physical_device(), surface_, &count, formats.data()),
          "vkGetPhysicalDeviceSurfaceFormatsKHR");
    // Colours are sRGB already; blending them as they are is what ImGui's own are made for.
    const auto plain = std::find_if(formats.begin(), formats.end(), [](const VkSurfaceFormatKHR& f) {
        return f.format == VK_FORMAT_B8G8R8A8_UNORM || f.format == VK_FORMAT_R8G8B8A8_UNORM;
    });
    if (plain == formats.end()) throw vknorm::Unsupported("The display takes no plain 8-bit colours");
    format_ = *plain;
}

bool Window::ready() {
    int width = 0, height = 0;
    glfwGetFramebufferSize(window_, &width, &height);
    if (width <= 0 || height <= 0) return false;
    const VkExtent2D wanted{static_cast<uint32_t>(width), static_cast<uint32_t>(height)};
    if (stale_ || wanted.width != extent_.width || wanted.height != extent_.height) create_swapchain(wanted);
    return swapchain_ != VK_NULL_HANDLE;
}

void Window::create_swapchain(VkExtent2D wanted) {
    gpu_.wait_idle();
    destroy_images();
    VkSurfaceCapabilitiesKHR can;
    check(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(gpu_.physical_device(), surface_, &can),
          "vkGetPhysicalDeviceSurfaceCapabilitiesKHR");
    extent_ = can.currentExtent;
    if (extent_.width == UINT32_MAX)
        extent_ = {std::clamp(wanted.width, can.minImageExtent.width, can.maxImageExtent.width),
                   std::clamp(wanted.height, can.minImageExtent.height, can.maxImageExtent.height)};
    const VkSwapchainKHR old = swapchain_;
    swapchain_ = VK_NULL_HANDLE;
    if (extent_.width > 0 && extent_.height > 0) {
        const uint32_t most = can.maxImageCount == 0 ? UINT32_MAX : can.maxImageCount;
        const VkSwapchainCreateInfoKHR info{.sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
                                            .surface = surface_,
                                            .minImageCount = std::min(can.minImageCount + 1, most),
                                            .imageFormat = format_.format,
                                            .imageColorSpace = format_.colorSpace,
                                            .imageExtent = extent_,
                                            .imageArrayLayers = 1,
                                            .imageUsage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
                                            .preTransform = can.currentTransform,
                                            .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
                                            .presentMode = VK_PRESENT_MODE_FIFO_KHR,
                                            .clipped = VK_TRUE,
                                            .oldSwapchain = old};
        check(vkCreateSwapchainKHR(gpu_.device(), &info, nullptr, &swapchain_), "vkCreateSwapchainKHR");
        create_images();
        stale_ = false;
    }
    vkDestroySwapchainKHR(gpu_.device(), old, nullptr);
}

void Window::create_images() {
    uint32_t count = 0;
    check(vkGetSwapchainImagesKHR(gpu_.device(), swapchain_, &count, nullptr), "vkGetSwapchainImagesKHR");
    std::vector<VkImage> handles(count);
    check(vkGetSwapchainImagesKHR(gpu_.device(), swapchain_, &count, handles.data()),
          "vkGetSwapchainImagesKHR");
    for (VkImage handle : handles) {
        Image& image = images_.emplace_back();
        const VkImageViewCreateInfo view{
            .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
            .image = handle,
            .viewType = VK_IMAGE_VIEW_TYPE_2D,
            .format = format_.format,
            .subresourceRange = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .levelCount = 1, .layerCount = 1}};
        check(vkCreateImageView(gpu_.device(), &view, nullptr, &image.view), "vkCreateImageView");
        const VkFramebufferCreateInfo framebuffer{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                                  .renderPass = pass_,
                                                  .attachmentCount = 1,
                                                  .pAttachments = &image.view,
                                                  .width = extent_.width,
                                                  .height = extent_.height,
                                                  .layers = 1};
        check(vkCreateFramebuffer(gpu_.device(), &framebuffer, nullptr, &image.framebuffer),
              "vkCreateFramebuffer");
        const VkSemaphoreCreateInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        check(vkCreateSemaphore(gpu_.device(), &semaphore, nullptr, &image.rendered), "vkCreateSemaphore");
    }
}

void Window::destroy_images() {
    for (const Image& image : images_) {
        vkDestroySemaphore(gpu_.device(), image.rendered, nullptr);
        vkDestroyFramebuffer(gpu_.device(), image.framebuffer, nullptr);
        vkDestroyImageView(gpu_.device(), image.view, nullptr);
    }
    images_.clear();
}

bool Window::draw(const Renderer& renderer, const Frame& frame) {
    uint32_t index = 0;
    const VkResult acquired =
        vkAcquireNextImageKHR(gpu_.device(), swapchain_, UINT64_MAX, acquired_, VK_NULL_HANDLE, &index);
    stale_ = acquired == VK_ERROR_OUT_OF_DATE_KHR || acquired == VK_SUBOPTIMAL_KHR;
    if (acquired == VK_ERROR_OUT_OF_DATE_KHR) return false;
    check(acquired, "vkAcquireNextImageKHR");

    const Image& image = images_[index];
    renderer.record(commands_.begin(), frame, pass_, image.framebuffer, extent_);
    commands_.finish(acquired_, image.rendered);

    const VkPresentInfoKHR present{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                   .waitSemaphoreCount = 1,
                                   .pWaitSemaphores = &image.rendered,
                                   .swapchainCount = 1,
                                   .pSwapchains = &swapchain_,
                                   .pImageIndices = &index};
    const VkResult presented = gpu_.present(present);
    if (presented == VK_ERROR_OUT_OF_DATE_KHR || presented == VK_SUBOPTIMAL_KHR)
        stale_ = true;
    else
        check(presented, "vkQueuePresentKHR");
    return presented != VK_ERROR_OUT_OF_DATE_KHR;
}

}  // namespace lab
