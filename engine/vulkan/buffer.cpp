#include <stdexcept>
#include <string>
#include <utility>

#include <vknorm/buffer.hpp>

#include "vulkan/completion.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm {

namespace {

void check(VkDeviceSize bytes, std::string_view name, Memory memory) {
    const auto where = [&] { return "Buffer \"" + std::string(name) + "\": "; };
    if (bytes == 0) throw std::invalid_argument(where() + "bytes: got 0, needs at least 1");
    if (memory < Memory::device || memory > Memory::readback)
        throw std::invalid_argument(where() + "memory: got " + std::to_string(static_cast<int>(memory)) +
                                    ", needs one of Memory");
}

std::shared_ptr<const detail::Allocation> allocate(const detail::DeviceState& device, VkDeviceSize bytes,
                                                   std::string_view name, Memory memory) {
    try {
        return device.memory->allocate(bytes, memory, name);
    } catch (const Error&) {
        // What destroyed buffers had comes back once the commands that use it have run.
        if (!device.completion->keeps_anything()) throw;
    }
    device.completion->wait(device.completion->last(), device.farewell);
    return device.memory->allocate(bytes, memory, name);
}

}  // namespace

Buffer::Buffer(Device& device, VkDeviceSize bytes, std::string_view name, Memory memory)
    : device_(device.state().shared_from_this()), bytes_(bytes) {
    check(bytes, name, memory);
    device_->require_alive();
    allocation_ = allocate(*device_, bytes, name, memory);
    buffer_ = allocation_->buffer;
    mapped_ = allocation_->mapped;
}

Buffer::Buffer(Buffer&& other) noexcept
    : device_(std::move(other.device_)),
      allocation_(std::move(other.allocation_)),
      buffer_(std::exchange(other.buffer_, VkBuffer(VK_NULL_HANDLE))),
      bytes_(std::exchange(other.bytes_, 0)),
      mapped_(std::exchange(other.mapped_, nullptr)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    Buffer taken(std::move(other));
    std::swap(device_, taken.device_);
    std::swap(allocation_, taken.allocation_);
    std::swap(buffer_, taken.buffer_);
    std::swap(bytes_, taken.bytes_);
    std::swap(mapped_, taken.mapped_);
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
