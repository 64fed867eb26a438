#include "vulkan/free_list.hpp"

#include <iterator>
#include <stdexcept>

namespace vknorm::detail {

FreeList::FreeList(uint64_t size) : size_(size) {
    if (size > 0) free_.emplace(0, size);
}

std::optional<uint64_t> FreeList::allocate(uint64_t size, uint64_t alignment) {
    for (auto range = free_.begin(); range != free_.end(); ++range) {
        const auto [start, length] = *range;
        const uint64_t skipped = (alignment - start % alignment) % alignment;
        if (skipped > length || length - skipped < size) continue;
        const uint64_t offset = start + skipped;
        const uint64_t rest = length - skipped - size;
        if (rest > 0) free_.emplace(offset + size, rest);
        if (skipped > 0)
            range->second = skipped;
        else
            free_.erase(range);
        used_.emplace(offset, size);
        return offset;
    }
    return std::nullopt;
}

uint64_t FreeList::release(uint64_t offset) {
    const auto used = used_.find(offset);
    if (used == used_.end()) throw std::logic_error("FreeList::release: the offset is not allocated");
    const uint64_t size = used->second;
    uint64_t start = offset, length = size;
    used_.erase(used);

    const auto next = free_.lower_bound(start);
    if (next != free_.begin()) {
        const auto previous = std::prev(next);
        if (previous->first + previous->second == start) {
            start = previous->first;
            length += previous->second;
            free_.erase(previous);
        }
    }
    if (next != free_.end() && next->first == start + length) {
        length += next->second;
        free_.erase(next);
    }
    free_.emplace(start, length);
    return size;
}

}  // namespace vknorm::detail
