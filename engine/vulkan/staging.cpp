#include "vulkan/staging.hpp"

namespace vknorm::detail {

std::optional<Staging::Piece> Staging::take(VkDeviceSize bytes, Ticket ticket) {
    if (!buffer_.view()) buffer_ = Buffer(device_, total_bytes, "vknorm staging", memory_);
    const auto offset = ranges_.allocate(bytes, piece_alignment);
    if (!offset) return std::nullopt;
    taken_.push_back({ticket, *offset});
    return Piece{buffer_.view(*offset, bytes), buffer_.mapped() + *offset};
}

void Staging::release(Ticket reached) {
    while (!taken_.empty() && taken_.front().ticket <= reached) {
        ranges_.release(taken_.front().offset);
        taken_.pop_front();
    }
}

void Staging::discard(Ticket submitted) {
    while (!taken_.empty() && taken_.back().ticket > submitted) {
        ranges_.release(taken_.back().offset);
        taken_.pop_back();
    }
}

}  // namespace vknorm::detail
