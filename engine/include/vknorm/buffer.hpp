// Memory that operations read and write.
#pragma once

#include <string_view>

#include <vknorm/device.hpp>

namespace vknorm {

/// Bytes [offset, offset + bytes) of a VkBuffer with STORAGE_BUFFER usage: the engine's or the caller's,
/// operations cannot tell. `offset` must be a multiple of the element size (4 for float32). Where `bytes` is
/// no multiple of 4, the VkBuffer must reach to the next one. A view without a buffer means "absent".
struct BufferView {
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize offset = 0;
    VkDeviceSize bytes = 0;

    explicit operator bool() const { return buffer != VK_NULL_HANDLE; }
    bool operator==(const BufferView&) const = default;
};

/// Every device can bind memory to a shader from multiples of so many bytes on. Linear, activations, the
/// loss, optimizers and probes need their arguments to start there; normalizations do not.
constexpr VkDeviceSize binding_alignment = 256;

enum class Memory {
    device,    ///< fastest for shaders
    upload,    ///< mapped; written by the host, read by the device
    readback,  ///< mapped and cached; written by the device, read by the host
};

/// One VkBuffer (storage, transfer source and destination) bound into a block shared with other buffers.
/// Zero bytes are rejected. Throws Error on out of memory, after which the device stays usable. Must not be
/// destroyed while submitted work uses it.
class Buffer {
  public:
    Buffer() = default;
    /// `name` appears in validation messages and captures.
    Buffer(Device& device, VkDeviceSize bytes, std::string_view name, Memory memory = Memory::device);
    ~Buffer();
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;

    VkDeviceSize bytes() const { return bytes_; }
    BufferView view() const { return {buffer_, 0, bytes_}; }
    /// Throws std::invalid_argument when the range leaves the buffer.
    BufferView view(VkDeviceSize offset, VkDeviceSize bytes) const;
    operator BufferView() const { return view(); }

    /// Host address of the first byte (always coherent), or null when the memory is not mapped.
    std::byte* mapped() const { return mapped_; }

  private:
    detail::DeviceState* device_ = nullptr;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceSize bytes_ = 0;
    std::byte* mapped_ = nullptr;
    uint64_t block_ = 0;  // the allocator's handle
    VkDeviceSize block_offset_ = 0;
};

}  // namespace vknorm
