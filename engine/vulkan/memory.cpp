#include "vulkan/memory.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <vector>

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

namespace {

// A shared block has a fixed part of what is reserved: little is left unused then (some drivers touch every
// byte that they allocate), and the number of blocks grows with the logarithm of the memory in use. What
// would fill much of such a block gets one of its own.
constexpr VkDeviceSize least_block = VkDeviceSize(256) << 10, reserved_per_block = 64, buffers_per_block = 4;
constexpr VkMemoryPropertyFlags host_flags =
    VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;

struct Wish {
    VkMemoryPropertyFlags required, preferred, avoided;
};

Wish wish_for(Memory memory, VkPhysicalDeviceType type) {
    constexpr VkMemoryPropertyFlags local = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    constexpr VkMemoryPropertyFlags cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    if (memory == Memory::upload) return {host_flags, 0, cached};
    if (memory == Memory::readback) return {host_flags, cached, local};
    // The part of a discrete GPU's memory that the host sees is often small and always slow to read.
    if (type == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU) return {0, local, host_flags};
    return {0, local | host_flags | cached, 0};
}

std::string mebibytes(VkDeviceSize bytes) {
    return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

Allocator::Allocator(const DeviceState& device, bool has_budget) : device_(device), has_budget_(has_budget) {
    VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    device.vk.GetPhysicalDeviceMemoryProperties2(device.physical_device, &memory);
    properties_ = memory.memoryProperties;

    VkPhysicalDeviceMaintenance3Properties maintenance3 = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &maintenance3};
    device.vk.GetPhysicalDeviceProperties2(device.physical_device, &properties);
    largest_allocation_ = maintenance3.maxMemoryAllocationSize;
}

Allocator::~Allocator() {
    while (!blocks_.empty()) free_block(blocks_.begin());
}

std::optional<uint32_t> Allocator::choose_type(uint32_t allowed, Memory memory) const {
    // Protected, lazily allocated and vendor-specific memory is not for us.
    constexpr VkMemoryPropertyFlags plain =
        VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | host_flags | VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
    const Wish wish = wish_for(memory, device_.info.type);
    std::optional<uint32_t> best;
    int best_score = 0;
    for (uint32_t type = 0; type < properties_.memoryTypeCount; ++type) {
        const VkMemoryPropertyFlags flags = flags_of(type);
        if (!(allowed & (1u << type)) || (flags & ~plain) || (flags & wish.required) != wish.required)
            continue;
        const int score = std::popcount(flags & wish.preferred) - std::popcount(flags & wish.avoided);
        const bool better =
            !best || score > best_score || (score == best_score && heap_of(type).size > heap_of(*best).size);
        if (!better) continue;
        best = type;
        best_score = score;
    }
    return best;
}

bool Allocator::device_memory_is_mapped() const {
    const auto type = choose_type(~0u, Memory::device);
    return type && (flags_of(*type) & host_flags) == host_flags;
}

void Allocator::require_budget(VkDeviceSize bytes, uint32_t type, std::string_view name) const {
    const uint32_t heap = properties_.memoryTypes[type].heapIndex;
    VkDeviceSize size = heap_of(type).size, used = 0;
    if (has_budget_) {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
        VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
                                                    &budget};
        device_.vk.GetPhysicalDeviceMemoryProperties2(device_.physical_device, &memory);
        size = budget.heapBudget[heap];
        used = budget.heapUsage[heap];
    } else {
        for (const auto& [id, block] : blocks_)
            if (properties_.memoryTypes[block.type].heapIndex == heap) used += block.ranges.size();
    }
    const VkDeviceSize left = size - std::min(size, used);
    if (bytes > left || bytes > largest_allocation_)
        throw Error(VK_ERROR_OUT_OF_DEVICE_MEMORY,
                    "Buffer \"" + std::string(name) + "\": needs " + mebibytes(bytes) +
                        " of device memory, " +
                        (bytes > left ? "has " + mebibytes(left) + " left of " + mebibytes(size)
                                      : "the largest allocation is " + mebibytes(largest_allocation_)));
}

Allocator::Blocks::iterator Allocator::add_block(VkDeviceSize bytes, uint32_t type, bool shared,
                                                 std::string_view name) {
    require_budget(bytes, type, name);
    const VkMemoryAllocateInfo info = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, bytes, type};
    Block block = {VK_NULL_HANDLE, type, shared, nullptr, FreeList(bytes)};
    device_.check(device_.vk.AllocateMemory(device_.device, &info, nullptr, &block.memory),
                  "vkAllocateMemory");
    try {
        if ((flags_of(type) & host_flags) == host_flags) {
            void* address = nullptr;
            device_.check(device_.vk.MapMemory(device_.device, block.memory, 0, VK_WHOLE_SIZE, 0, &address),
                          "vkMapMemory");
            // CPU drivers that fail to reserve memory have been seen to report success with these.
            const auto number = reinterpret_cast<uintptr_t>(address);
            if (number == 0 || number == ~uintptr_t(0))
                throw Error(VK_ERROR_MEMORY_MAP_FAILED, "vkMapMemory returned no address");
            block.mapped = static_cast<std::byte*>(address);
        }
        const auto added = blocks_.emplace(next_block_, std::move(block)).first;
        ++next_block_;
        use_.reserved += bytes;
        ++use_.allocations;
        return added;
    } catch (...) {
        device_.vk.FreeMemory(device_.device, block.memory, nullptr);
        throw;
    }
}

void Allocator::free_block(Blocks::iterator block) {
    device_.vk.FreeMemory(device_.device, block->second.memory, nullptr);
    use_.reserved -= block->second.ranges.size();
    --use_.allocations;
    blocks_.erase(block);
}

Allocator::Place Allocator::find_place(const VkMemoryRequirements& needed, Memory memory,
                                       std::string_view name) {
    const auto type = choose_type(needed.memoryTypeBits, memory);
    if (!type)
        throw Unsupported("Buffer \"" + std::string(name) +
                          "\": the device has no host-visible coherent memory");

    for (auto block = blocks_.begin(); block != blocks_.end(); ++block) {
        if (block->second.type != *type || !block->second.shared) continue;
        if (const auto offset = block->second.ranges.allocate(needed.size, needed.alignment))
            return {block, *offset};
    }
    const VkDeviceSize size = std::max(least_block, use_.reserved / reserved_per_block);
    if (needed.size <= size / buffers_per_block) {
        try {
            const auto block = add_block(size, *type, true, name);
            return {block, *block->second.ranges.allocate(needed.size, needed.alignment)};
        } catch (const Error&) {
            // Where a whole block no longer fits, the buffer alone may.
            if (device_.lost) throw;
        }
    }
    const auto block = add_block(needed.size, *type, false, name);
    return {block, *block->second.ranges.allocate(needed.size, needed.alignment)};
}

std::shared_ptr<const Allocation> Allocator::allocate(VkDeviceSize bytes, Memory memory,
                                                      std::string_view name) {
    if (whole_words(bytes) < bytes)
        throw Error(VK_ERROR_OUT_OF_DEVICE_MEMORY,
                    "Buffer \"" + std::string(name) + "\": the size overflows");
    VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = whole_words(bytes);
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT;
    info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;

    // The driver is not asked: some fail badly at absurd sizes.
    if (info.size > largest_allocation_)
        throw Error(VK_ERROR_OUT_OF_DEVICE_MEMORY,
                    "Buffer \"" + std::string(name) + "\": needs " + mebibytes(bytes) +
                        " of device memory, the largest allocation is " + mebibytes(largest_allocation_));

    auto made = std::make_shared<Allocation>();
    made->bytes = bytes;
    VkBuffer& buffer = made->buffer;
    const std::lock_guard lock(mutex_);
    device_.check(device_.vk.CreateBuffer(device_.device, &info, nullptr, &buffer), "vkCreateBuffer");
    std::optional<Place> place;
    try {
        VkMemoryRequirements needed;
        device_.vk.GetBufferMemoryRequirements(device_.device, buffer, &needed);
        place = find_place(needed, memory, name);
        const Block& block = place->block->second;
        device_.check(device_.vk.BindBufferMemory(device_.device, buffer, block.memory, place->offset),
                      "vkBindBufferMemory");
        device_.set_name(VK_OBJECT_TYPE_BUFFER, uint64_t(buffer), name);
        made->block = place->block->first;
        made->offset = place->offset;
        if (block.mapped && (memory != Memory::device || device_.capabilities.mapped_device_memory))
            made->mapped = block.mapped + place->offset;
        if ((flags_of(block.type) & VK_MEMORY_PROPERTY_HOST_CACHED_BIT) != 0)
            made->host_address = made->mapped;
        live_.insert_or_assign(uint64_t(buffer), made);
        use_.used += needed.size;
        made->allocator = this;
        return made;
    } catch (...) {
        device_.vk.DestroyBuffer(device_.device, buffer, nullptr);
        if (place) release_place(*place);
        throw;
    }
}

VkDeviceSize Allocator::release_place(const Place& place) {
    Block& block = place.block->second;
    const VkDeviceSize size = block.ranges.release(place.offset);
    // One empty shared block of each type is kept for what comes next.
    const bool another_is_empty =
        std::any_of(blocks_.begin(), blocks_.end(), [&](const Blocks::value_type& other) {
            return &other.second != &block && other.second.shared && other.second.type == block.type &&
                   other.second.ranges.empty();
        });
    if (block.ranges.empty() && (!block.shared || another_is_empty)) free_block(place.block);
    return size;
}

void Allocator::release(const Allocation& allocation) {
    const std::lock_guard lock(mutex_);
    live_.erase(uint64_t(allocation.buffer));
    device_.vk.DestroyBuffer(device_.device, allocation.buffer, nullptr);
    use_.used -= release_place({blocks_.find(allocation.block), allocation.offset});
}

MemoryUse Allocator::use() const {
    const std::lock_guard lock(mutex_);
    return use_;
}

std::shared_ptr<const Allocation> Allocator::find(VkBuffer buffer) const {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(uint64_t(buffer));
    return found == live_.end() ? nullptr : found->second.lock();
}

Allocation::~Allocation() {
    if (allocator) allocator->release(*this);
}

}  // namespace vknorm::detail
