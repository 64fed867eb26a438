#include "app/gpu/renderer.hpp"

#include <algorithm>
#include <backends/imgui_impl_vulkan.h>
#include <cmath>
#include <imgui.h>

namespace lab {

VkRenderPass make_render_pass(VkDevice device, VkFormat format, VkImageLayout final_layout) {
    const VkAttachmentDescription attachment{.format = format,
                                             .samples = VK_SAMPLE_COUNT_1_BIT,
                                             .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                             .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
                                             .stencilLoadOp = VK_ATTACHMENT_LOAD_OP_DONT_CARE,
                                             .stencilStoreOp = VK_ATTACHMENT_STORE_OP_DONT_CARE,
                                             .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
                                             .finalLayout = final_layout};
    const VkAttachmentReference reference{.layout = VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL};
    const VkSubpassDescription subpass{.pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
                                       .colorAttachmentCount = 1,
                                       .pColorAttachments = &reference};
    // Before: the previous use of the image (presentation, copy). After: the copy of an off-screen picture.
    const VkSubpassDependency dependencies[] = {
        {.srcSubpass = VK_SUBPASS_EXTERNAL,
         .dstSubpass = 0,
         .srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
         .dstStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
         .srcAccessMask = 0,
         .dstAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT | VK_ACCESS_COLOR_ATTACHMENT_READ_BIT},
        {.srcSubpass = 0,
         .dstSubpass = VK_SUBPASS_EXTERNAL,
         .srcStageMask = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT,
         .dstStageMask = VK_PIPELINE_STAGE_TRANSFER_BIT,
         .srcAccessMask = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT,
         .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT}};
    const VkRenderPassCreateInfo info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                      .attachmentCount = 1,
                                      .pAttachments = &attachment,
                                      .subpassCount = 1,
                                      .pSubpasses = &subpass,
                                      .dependencyCount = 2,
                                      .pDependencies = dependencies};
    VkRenderPass pass;
    check(vkCreateRenderPass(device, &info, nullptr, &pass), "vkCreateRenderPass");
    return pass;
}

FrameCommands::FrameCommands(Gpu& gpu) : gpu_(gpu) {
    const VkCommandPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                       .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
                                       .queueFamilyIndex = gpu.queue_family()};
    check(vkCreateCommandPool(gpu.device(), &pool, nullptr, &pool_), "vkCreateCommandPool");
    const VkCommandBufferAllocateInfo buffer{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = pool_,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 1};
    check(vkAllocateCommandBuffers(gpu.device(), &buffer, &commands_), "vkAllocateCommandBuffers");
    const VkFenceCreateInfo fence{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    check(vkCreateFence(gpu.device(), &fence, nullptr, &fence_), "vkCreateFence");
}

FrameCommands::~FrameCommands() {
    vkDestroyFence(gpu_.device(), fence_, nullptr);
    vkDestroyCommandPool(gpu_.device(), pool_, nullptr);
}

VkCommandBuffer FrameCommands::begin() {
    check(vkResetCommandPool(gpu_.device(), pool_, 0), "vkResetCommandPool");
    const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                        .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    check(vkBeginCommandBuffer(commands_, &info), "vkBeginCommandBuffer");
    return commands_;
}

void FrameCommands::finish(VkSemaphore wait, VkSemaphore signal) {
    check(vkEndCommandBuffer(commands_), "vkEndCommandBuffer");
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_COLOR_ATTACHMENT_OUTPUT_BIT;
    gpu_.submit({.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                 .waitSemaphoreCount = wait ? 1u : 0u,
                 .pWaitSemaphores = &wait,
                 .pWaitDstStageMask = &stage,
                 .commandBufferCount = 1,
                 .pCommandBuffers = &commands_,
                 .signalSemaphoreCount = signal ? 1u : 0u,
                 .pSignalSemaphores = &signal},
                fence_);
    gpu_.wait(fence_);
}

Renderer::Renderer(Gpu& gpu, VkFormat format) : gpu_(gpu), format_(format) {
    pass_ = make_render_pass(gpu.device(), format, VK_IMAGE_LAYOUT_COLOR_ATTACHMENT_OPTIMAL);
    const VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1};
    const VkDescriptorPoolCreateInfo pool{.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                          .flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
                                          .maxSets = 1,
                                          .poolSizeCount = 1,
                                          .pPoolSizes = &size};
    check(vkCreateDescriptorPool(gpu.device(), &pool, nullptr, &pool_), "vkCreateDescriptorPool");
    ImGui_ImplVulkan_InitInfo info{};
    info.Instance = gpu.instance();
    info.PhysicalDevice = gpu.physical_device();
    info.Device = gpu.device();
    info.QueueFamily = gpu.queue_family();
    info.Queue = gpu.queue();
    info.DescriptorPool = pool_;
    info.MinImageCount = info.ImageCount = 2;
    info.CheckVkResultFn = [](VkResult result) { check(result, "a call of ImGui's Vulkan backend"); };
    ImGui_ImplVulkan_Init(&info, pass_);

    FrameCommands upload(gpu);
    ImGui_ImplVulkan_CreateFontsTexture(upload.begin());
    upload.finish(VK_NULL_HANDLE, VK_NULL_HANDLE);
    ImGui_ImplVulkan_DestroyFontUploadObjects();
}

Renderer::~Renderer() {
    gpu_.wait_idle();
    ImGui_ImplVulkan_Shutdown();
    vkDestroyDescriptorPool(gpu_.device(), pool_, nullptr);
    vkDestroyRenderPass(gpu_.device(), pass_, nullptr);
}

namespace {

VkClearValue clear_value(Color color) {
    const ImVec4 c = ImGui::ColorConvertU32ToFloat4(color);
    return {.color = {.float32 = {c.x, c.y, c.z, 1}}};
}

void clear_plate(VkCommandBuffer commands, const Plate& plate, VkExtent2D extent) {
    const auto clamped = [](float value, uint32_t limit) {
        return static_cast<uint32_t>(std::clamp(std::round(value), 0.0f, static_cast<float>(limit)));
    };
    const uint32_t left = clamped(plate.min.x, extent.width), right = clamped(plate.max.x, extent.width);
    const uint32_t top = clamped(plate.min.y, extent.height), bottom = clamped(plate.max.y, extent.height);
    if (right <= left || bottom <= top) return;
    const VkClearAttachment what{.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT,
                                 .clearValue = clear_value(plate.color)};
    const VkClearRect where{
        .rect = {{static_cast<int32_t>(left), static_cast<int32_t>(top)}, {right - left, bottom - top}},
        .layerCount = 1};
    vkCmdClearAttachments(commands, 1, &what, 1, &where);
}

}  // namespace

void Renderer::record(VkCommandBuffer commands, const Frame& frame, VkRenderPass pass, VkFramebuffer target,
                      VkExtent2D extent) const {
    const VkClearValue ground = clear_value(frame.ground);
    const VkRenderPassBeginInfo begin{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                      .renderPass = pass,
                                      .framebuffer = target,
                                      .renderArea = {{0, 0}, extent},
                                      .clearValueCount = 1,
                                      .pClearValues = &ground};
    vkCmdBeginRenderPass(commands, &begin, VK_SUBPASS_CONTENTS_INLINE);
    for (const Plate& plate : frame.plates) clear_plate(commands, plate, extent);
    ImGui_ImplVulkan_RenderDrawData(frame.draw_data, commands);
    vkCmdEndRenderPass(commands);
}

}  // namespace lab
