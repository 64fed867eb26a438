// Mapped memory that copies to and from the device pass through.
#pragma once

#include <deque>
#include <optional>

#include <vknorm/stream.hpp>

#include "vulkan/free_list.hpp"

namespace vknorm::detail {

class Staging {
  public:
    /// The largest piece that take() can give.
    static constexpr VkDeviceSize piece_bytes = VkDeviceSize(4) << 20;

    Staging(Device& device, Memory memory) : device_(device), memory_(memory) {}

    struct Piece {
        BufferView view;
        std::byte* mapped;
    };
    /// A piece that belongs to the submission `ticket`. Nothing when all memory is in use; then release()
    /// some.
    std::optional<Piece> take(VkDeviceSize bytes, Ticket ticket);
    /// The submission that must be reached before anything can be released.
    Ticket oldest() const { return taken_.front().ticket; }
    /// Gives back the pieces of submissions up to `reached`.
    void release(Ticket reached);

  private:
    static constexpr VkDeviceSize total_bytes = 4 * piece_bytes;
    struct Taken {
        Ticket ticket;
        VkDeviceSize offset;
    };

    Device& device_;
    Memory memory_;
    Buffer buffer_;  // made at the first take()
    FreeList ranges_{total_bytes};
    std::deque<Taken> taken_;
};

}  // namespace vknorm::detail
