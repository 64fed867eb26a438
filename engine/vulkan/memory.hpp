// Buffers are bound into blocks of device memory that they share.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <vknorm/buffer.hpp>

#include "vulkan/free_list.hpp"

namespace vknorm::detail {

class Allocator;
struct DeviceState;

/// A buffer and its memory. All that need them share them: the Buffer, and whoever recorded commands with it.
struct Allocation {
    Allocation() = default;
    Allocation(const Allocation&) = delete;
    ~Allocation();

    Allocator* allocator = nullptr;  ///< it is null until the allocation is complete
    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize bytes = 0;             ///< as they were asked for
    std::byte* mapped = nullptr;        ///< of the buffer's first byte
    std::byte* host_address = nullptr;  ///< the same where the host reads and writes quickly, else null
    uint64_t block = 0;
    VkDeviceSize offset = 0;  ///< within the block
};

/// Shaders see whole words, so a buffer, and a range of it that is bound, ends on one.
constexpr VkDeviceSize whole_words(VkDeviceSize bytes) {
    constexpr VkDeviceSize word_bytes = 4;
    return (bytes + word_bytes - 1) / word_bytes * word_bytes;
}

/// Any thread may use it.
class Allocator {
  public:
    /// With `has_budget`, VK_EXT_memory_budget tells how much of each heap is left.
    Allocator(const DeviceState& device, bool has_budget);
    ~Allocator();
    Allocator(const Allocator&) = delete;

    /// Makes a buffer of `bytes` > 0, rounded up to whole words. Throws Error when it does not fit; nothing
    /// has changed then. The allocator must outlive the result.
    std::shared_ptr<const Allocation> allocate(VkDeviceSize bytes, Memory memory, std::string_view name);

    MemoryUse use() const;
    /// Returns a live buffer of this allocator, or null where it is none.
    std::shared_ptr<const Allocation> find(VkBuffer buffer) const;
    bool owns(VkBuffer buffer) const { return find(buffer) != nullptr; }
    /// Tells whether buffers in Memory::device could be mapped.
    bool device_memory_is_mapped() const;

  private:
    friend struct Allocation;

    struct Block {
        VkDeviceMemory memory;
        uint32_t type;
        bool shared;  // it tells whether several buffers may be in it; else it is made for one
        std::byte* mapped;
        FreeList ranges;
    };
    using Blocks = std::map<uint64_t, Block>;
    struct Place {
        Blocks::iterator block;
        VkDeviceSize offset;
    };

    std::optional<uint32_t> choose_type(uint32_t allowed, Memory memory) const;
    VkMemoryPropertyFlags flags_of(uint32_t type) const {
        return properties_.memoryTypes[type].propertyFlags;
    }
    const VkMemoryHeap& heap_of(uint32_t type) const {
        return properties_.memoryHeaps[properties_.memoryTypes[type].heapIndex];
    }
    void require_budget(VkDeviceSize bytes, uint32_t type, std::string_view name) const;
    Blocks::iterator add_block(VkDeviceSize bytes, uint32_t type, bool shared, std::string_view name);
    void free_block(Blocks::iterator block);
    Place find_place(const VkMemoryRequirements& needed, Memory memory, std::string_view name);
    void release(const Allocation& allocation);
    VkDeviceSize release_place(const Place& place);  // returns the bytes given back

    const DeviceState& device_;
    const bool has_budget_;
    VkPhysicalDeviceMemoryProperties properties_ = {};
    VkDeviceSize largest_allocation_ = 0;

    mutable std::mutex mutex_;
    Blocks blocks_;
    uint64_t next_block_ = 1;
    std::unordered_map<uint64_t, std::weak_ptr<const Allocation>> live_;
    MemoryUse use_;
};

}  // namespace vknorm::detail
