// Memory that operations read and write.
#pragma once

#include <memory>
#include <string_view>

#include <vknorm/device.hpp>

namespace vknorm {

namespace detail {
struct Allocation;
}

/// Bytes [offset, offset + bytes) of a VkBuffer, the engine's or the caller's. `offset` must be a multiple of
/// the element size (4 for float32). A view without a buffer means "absent". Views that leave a buffer of the
/// engine's, and those of another device's, are invalid arguments everywhere. Of a caller's VkBuffer the
/// engine knows nothing: it needs to reach as far as its views, and to the next multiple of 4; needs the
/// STORAGE_BUFFER usage and, where an argument says so, TRANSFER_DST or TRANSFER_SRC; and must live until
/// the commands that use it have run.
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
/// Zero bytes are rejected. Throws Error on out of memory, after which the device stays usable; before that,
/// it waits for work that still uses destroyed buffers. May be destroyed at any time: its memory lives until
/// the commands that were recorded with it have run, or were dropped. One that was moved from is absent.
class Buffer {
  public:
    Buffer() = default;
    /// `name` appears in validation messages and captures.
    Buffer(Device& device, VkDeviceSize bytes, std::string_view name, Memory memory = Memory::device);
    ~Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;

    VkDeviceSize bytes() const { return bytes_; }
    BufferView view() const { return {buffer_, 0, bytes_}; }
    /// Throws std::invalid_argument when the range leaves the buffer.
    BufferView view(VkDeviceSize offset, VkDeviceSize bytes) const;
    operator BufferView() const { return view(); }

    /// Host address of the first byte (always coherent), or null when the memory is not mapped. Whoever uses
    /// it waits for the commands that use the buffer.
    std::byte* mapped() const { return mapped_; }

  private:
    std::shared_ptr<detail::DeviceState> device_;  // outlives the allocation
    std::shared_ptr<const detail::Allocation> allocation_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceSize bytes_ = 0;
    std::byte* mapped_ = nullptr;
};

}  // namespace vknorm
