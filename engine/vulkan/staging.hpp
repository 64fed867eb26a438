// Copies to and from the device pass through mapped memory.
#pragma once

#include <deque>
#include <optional>

#include <vknorm/stream.hpp>

#include "vulkan/free_list.hpp"

namespace vknorm::detail {

class Staging {
  public:
    /// take() gives no larger piece.
    static constexpr VkDeviceSize piece_bytes = VkDeviceSize(4) << 20;

    Staging(Device& device, Memory memory) : device_(device), memory_(memory) {}

    struct Piece {
        BufferView view;
        std::byte* mapped;
    };
    /// Gives a piece that belongs to the submission `ticket`, or nothing when all memory is in use: then
    /// release() some.
    std::optional<Piece> take(VkDeviceSize bytes, Ticket ticket);
    /// This submission must be reached before anything can be released.
    Ticket oldest() const { return taken_.front().ticket; }
    /// Gives back the pieces of submissions up to `reached`.
    void release(Ticket reached);
    /// Gives back the pieces of submissions after `submitted`, which do not happen.
    void discard(Ticket submitted);

  private:
    static constexpr VkDeviceSize total_bytes = 4 * piece_bytes;
    static constexpr VkDeviceSize piece_alignment = 16;
    struct Taken {
        Ticket ticket;
        VkDeviceSize offset;
    };

    Device& device_;
    Memory memory_;
    Buffer buffer_;  // it is made at the first take()
    FreeList ranges_{total_bytes};
    std::deque<Taken> taken_;
};

}  // namespace vknorm::detail
