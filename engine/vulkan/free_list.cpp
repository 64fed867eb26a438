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
        const auto used = used_.emplace(offset, size).first;
        try {
            if (rest > 0) free_.emplace(offset + size, rest);
        } catch (...) {
            used_.erase(used);
            throw;
        }
        if (skipped > 0)
            range->second = skipped;
        else
            free_.erase(range);
        return offset;
    }
    return std::nullopt;
}

uint64_t FreeList::release(uint64_t offset) {
    const auto used = used_.find(offset);
    if (used == used_.end()) throw std::logic_error("FreeList::release: the offset is not allocated");
    // The range's node becomes that of a free one: who destroys a buffer has no memory to ask for.
    auto range = used_.extract(used);
    const uint64_t size = range.mapped();
    const auto next = free_.lower_bound(offset);
    if (next != free_.begin()) {
        const auto previous = std::prev(next);
        if (previous->first + previous->second == offset) {
            range.key() = previous->first;
            range.mapped() += previous->second;
            free_.erase(previous);
        }
    }
    if (next != free_.end() && next->first == offset + size) {
        range.mapped() += next->second;
        free_.erase(next);
    }
    free_.insert(std::move(range));
    return size;
}

}  // namespace vknorm::detail
