#include <stdexcept>
#include <string>
#include <utility>

#include <vknorm/buffer.hpp>

#include "vulkan/device_state.hpp"

namespace vknorm {

Buffer::Buffer(Device& device, VkDeviceSize bytes, std::string_view name, Memory memory)
    : device_(&device.state()), bytes_(bytes) {
    if (bytes == 0)
        throw std::invalid_argument("Buffer \"" + std::string(name) + "\": bytes: got 0, needs at least 1");
    device_->require_alive();
    const detail::Allocation allocation = device_->memory->allocate(bytes, memory, name);
    buffer_ = allocation.buffer;
    mapped_ = allocation.mapped;
    block_ = allocation.block;
    block_offset_ = allocation.offset;
}

Buffer::~Buffer() {
    if (buffer_ != VK_NULL_HANDLE) device_->memory->release({buffer_, mapped_, block_, block_offset_});
}

Buffer::Buffer(Buffer&& other) noexcept
    : device_(other.device_),
      buffer_(std::exchange(other.buffer_, VkBuffer(VK_NULL_HANDLE))),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      block_(other.block_),
      block_offset_(other.block_offset_) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    std::swap(device_, taken.device_);
    std::swap(buffer_, taken.buffer_);
    std::swap(bytes_, taken.bytes_);
    std::swap(mapped_, taken.mapped_);
    std::swap(block_, taken.block_);
    std::swap(block_offset_, taken.block_offset_);
    return *this;
}

BufferView Buffer::view(VkDeviceSize offset, VkDeviceSize bytes) const {
    if (offset > bytes_ || bytes > bytes_ - offset)
        throw std::invalid_argument("Buffer::view: range: got [" + std::to_string(offset) + ", +" +
                                    std::to_string(bytes) + "), needs to lie within " +
                                    std::to_string(bytes_) + " bytes");
    return {buffer_, offset, bytes};
}

}  // namespace vknorm
