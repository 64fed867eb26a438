// A driver without hardware behind it has no memory, and nothing that records or runs commands works.
#include <cstring>
#include <list>
#include <mutex>
#include <vulkan/vk_icd.h>

#include "gpu/wrapper_driver.hpp"

namespace vknorm::wrapper {

namespace {

void do_nothing() {}

// A discrete GPU's memory, where the driver found none.
void make_up(VkPhysicalDeviceMemoryProperties& memory) {
    if (memory.memoryTypeCount > 0) return;
    constexpr VkDeviceSize gigabyte = VkDeviceSize{1} << 30;
    constexpr VkMemoryPropertyFlags host =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    memory.memoryHeapCount = 2;
    memory.memoryHeaps[0] = {8 * gigabyte, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
    memory.memoryHeaps[1] = {16 * gigabyte, 0};
    memory.memoryTypeCount = 3;
    memory.memoryTypes[0] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0};
    memory.memoryTypes[1] = {host, 1};
    memory.memoryTypes[2] = {host | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, 1};
}

VKAPI_ATTR void VKAPI_CALL get_memory(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties* memory) {
    WRAPPED(vkGetPhysicalDeviceMemoryProperties)(device, memory);
    make_up(*memory);
}

VKAPI_ATTR void VKAPI_CALL get_memory_2(VkPhysicalDevice device, VkPhysicalDeviceMemoryProperties2* memory) {
    WRAPPED(vkGetPhysicalDeviceMemoryProperties2)(device, memory);
    make_up(memory->memoryProperties);
}

VKAPI_ATTR void VKAPI_CALL get_requirements(VkDevice device, VkBuffer buffer,
                                            VkMemoryRequirements* requirements) {
    WRAPPED(vkGetBufferMemoryRequirements)(device, buffer, requirements);
    if (requirements->memoryTypeBits == 0) requirements->memoryTypeBits = 0b111;
}

// A handle that nobody but this file looks at.
template <class Handle>
Handle token() {
    static char somewhere;
    return reinterpret_cast<Handle>(&somewhere);
}

VKAPI_ATTR VkResult VKAPI_CALL create_fence(VkDevice, const VkFenceCreateInfo*, const VkAllocationCallbacks*,
                                            VkFence* fence) {
    *fence = token<VkFence>();
    return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL create_pool(VkDevice, const VkCommandPoolCreateInfo*,
                                           const VkAllocationCallbacks*, VkCommandPool* pool) {
    *pool = token<VkCommandPool>();
    return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL allocate_commands(VkDevice, const VkCommandBufferAllocateInfo* info,
                                                 VkCommandBuffer* commands) {
    // The loader writes into what it takes for a command buffer. They stay, as nobody knows who uses them.
    static std::list<VK_LOADER_DATA> all;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    for (uint32_t i = 0; i < info->commandBufferCount; ++i) {
        set_loader_magic_value(&all.emplace_back());
        commands[i] = reinterpret_cast<VkCommandBuffer>(&all.back());
    }
    return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL succeed() {
    return VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL get_query_results(VkDevice, VkQueryPool, uint32_t, uint32_t, size_t bytes,
                                                 void* data, VkDeviceSize, VkQueryResultFlags) {
    std::memset(data, 0, bytes);
    return VK_SUCCESS;
}

}  // namespace

PFN_vkVoidFunction nothing() {
    return reinterpret_cast<PFN_vkVoidFunction>(do_nothing);
}

std::span<const Replacement> no_hardware() {
    static const Replacement functions[] = {
        replacement("vkGetPhysicalDeviceMemoryProperties", get_memory),
        replacement("vkGetPhysicalDeviceMemoryProperties2", get_memory_2),
        replacement("vkGetPhysicalDeviceMemoryProperties2KHR", get_memory_2),
        replacement("vkGetBufferMemoryRequirements", get_requirements),
        replacement("vkCreateFence", create_fence),
        replacement("vkDestroyFence", do_nothing),
        replacement("vkResetFences", succeed),
        replacement("vkGetFenceStatus", succeed),
        replacement("vkWaitForFences", succeed),
        replacement("vkCreateCommandPool", create_pool),
        replacement("vkDestroyCommandPool", do_nothing),
        replacement("vkResetCommandPool", succeed),
        replacement("vkAllocateCommandBuffers", allocate_commands),
        replacement("vkFreeCommandBuffers", do_nothing),
        replacement("vkBeginCommandBuffer", succeed),
        replacement("vkEndCommandBuffer", succeed),
        replacement("vkGetQueryPoolResults", get_query_results),
        replacement("vkQueueSubmit", succeed),
        replacement("vkQueueWaitIdle", succeed),
        replacement("vkDeviceWaitIdle", succeed),
    };
    return functions;
}

}  // namespace vknorm::wrapper
