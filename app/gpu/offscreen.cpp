#include "app/gpu/offscreen.hpp"

#include <algorithm>

namespace lab {

Offscreen::Offscreen(Gpu& gpu, const Renderer& renderer, uint32_t width, uint32_t height)
    : gpu_(gpu), renderer_(renderer), extent_{width, height}, commands_(gpu) {
    try {
        create_image();
        create_readback();
    } catch (...) {
        destroy();
        throw;
    }
}

Offscreen::~Offscreen() {
    destroy();
}

void Offscreen::destroy() {
    vkDestroyBuffer(gpu_.device(), readback_, nullptr);
    vkFreeMemory(gpu_.device(), readback_memory_, nullptr);
    vkDestroyFramebuffer(gpu_.device(), framebuffer_, nullptr);
    vkDestroyImageView(gpu_.device(), view_, nullptr);
    vkDestroyImage(gpu_.device(), image_, nullptr);
    vkFreeMemory(gpu_.device(), image_memory_, nullptr);
    vkDestroyRenderPass(gpu_.device(), pass_, nullptr);
}

void Offscreen::create_image() {
    pass_ = make_render_pass(gpu_.device(), renderer_.format(), VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    const VkImageCreateInfo image{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = renderer_.format(),
        .extent = {extent_.width, extent_.height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_OPTIMAL,
        .usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_SRC_BIT};
    check(vkCreateImage(gpu_.device(), &image, nullptr, &image_), "vkCreateImage");
    VkMemoryRequirements requirements;
    vkGetImageMemoryRequirements(gpu_.device(), image_, &requirements);
    image_memory_ = gpu_.allocate(requirements, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    check(vkBindImageMemory(gpu_.device(), image_, image_memory_, 0), "vkBindImageMemory");

    const VkImageViewCreateInfo view{
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = image_,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = renderer_.format(),
        .subresourceRange = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .levelCount = 1, .layerCount = 1}};
    check(vkCreateImageView(gpu_.device(), &view, nullptr, &view_), "vkCreateImageView");
    const VkFramebufferCreateInfo framebuffer{.sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                              .renderPass = pass_,
                                              .attachmentCount = 1,
                                              .pAttachments = &view_,
                                              .width = extent_.width,
                                              .height = extent_.height,
                                              .layers = 1};
    check(vkCreateFramebuffer(gpu_.device(), &framebuffer, nullptr, &framebuffer_), "vkCreateFramebuffer");
}

void Offscreen::create_readback() {
    const VkBufferCreateInfo buffer{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                    .size = VkDeviceSize{extent_.width} * extent_.height * 4,
                                    .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    check(vkCreateBuffer(gpu_.device(), &buffer, nullptr, &readback_), "vkCreateBuffer");
    VkMemoryRequirements requirements;
    vkGetBufferMemoryRequirements(gpu_.device(), readback_, &requirements);
    readback_memory_ = gpu_.allocate(
        requirements, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    check(vkBindBufferMemory(gpu_.device(), readback_, readback_memory_, 0), "vkBindBufferMemory");
    void* address = nullptr;
    check(vkMapMemory(gpu_.device(), readback_memory_, 0, VK_WHOLE_SIZE, 0, &address), "vkMapMemory");
    pixels_ = static_cast<const uint8_t*>(address);
}

Picture Offscreen::draw(const Frame& frame) {
    VkCommandBuffer commands = commands_.begin();
    renderer_.record(commands, frame, pass_, framebuffer_, extent_);
    const VkBufferImageCopy region{
        .imageSubresource = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT, .layerCount = 1},
        .imageExtent = {extent_.width, extent_.height, 1}};
    vkCmdCopyImageToBuffer(commands, image_, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, readback_, 1, &region);
    const VkMemoryBarrier to_host{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                  .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                  .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &to_host,
                         0, nullptr, 0, nullptr);
    commands_.finish(VK_NULL_HANDLE, VK_NULL_HANDLE);

    const size_t bytes = size_t{extent_.width} * extent_.height * 4;
    Picture picture{extent_.width, extent_.height, {pixels_, pixels_ + bytes}};
    const bool swapped = renderer_.format() == VK_FORMAT_B8G8R8A8_UNORM;
    for (size_t i = 0; i < bytes; i += 4) {
        if (swapped) std::swap(picture.rgba[i], picture.rgba[i + 2]);
        picture.rgba[i + 3] = 255;
    }
    return picture;
}

}  // namespace lab
