// A FreeList hands out byte ranges of one block of memory. It is pure: it knows no Vulkan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace vknorm::detail {

/// The first range that fits is taken; neighbouring free ranges are joined on release.
class FreeList {
  public:
    explicit FreeList(uint64_t size);

    /// Returns the offset of `size` > 0 bytes, a multiple of `alignment` > 0 (any number), or nothing when no
    /// free range fits.
    std::optional<uint64_t> allocate(uint64_t size, uint64_t alignment);
    /// Gives back what allocate() returned, and returns its size. Throws std::logic_error for any other
    /// offset.
    uint64_t release(uint64_t offset);

    uint64_t size() const { return size_; }
    bool empty() const { return used_.empty(); }

  private:
    uint64_t size_;
    std::map<uint64_t, uint64_t> free_;  // sizes by offset
    std::map<uint64_t, uint64_t> used_;
};

}  // namespace vknorm::detail
