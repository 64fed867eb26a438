// What a normalization keeps in the caller's scratch buffer during a call.
#pragma once

#include <string>

#include <vknorm/buffer.hpp>

#include "ops/norm/plan.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

/// A part of every scratch buffer.
struct ScratchRange {
    uint64_t offset = 0, bytes = 0;

    BufferView of(const BufferView& scratch) const {
        return {scratch.buffer, round_up<uint64_t>(scratch.offset, partial_bytes) + offset, bytes};
    }
};

/// Cuts scratch buffers into ranges that start at multiples of sixteen bytes, wherever the buffers start.
class Scratch {
  public:
    ScratchRange add(uint64_t bytes) {
        const ScratchRange range{end_, bytes};
        end_ += round_up<uint64_t>(bytes, partial_bytes);
        return range;
    }
    /// Of a whole buffer.
    VkDeviceSize bytes() const { return end_ + partial_bytes - sizeof(float); }

  private:
    uint64_t end_ = 0;
};

/// For people.
inline std::string explain_scratch(VkDeviceSize bytes) {
    return "scratch: " + std::to_string(bytes) + " bytes\n";
}

}  // namespace vknorm::detail
