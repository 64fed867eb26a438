#include "vulkan/capabilities.hpp"

#include <algorithm>
#include <vector>

namespace vknorm::detail {

void read_limits(DeviceState& state) {
    VkPhysicalDeviceSubgroupProperties subgroup = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
    VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &subgroup};
    state.vk.GetPhysicalDeviceProperties2(state.physical_device, &properties);
    state.limits = properties.properties.limits;

    uint32_t count = 0;
    state.vk.GetPhysicalDeviceQueueFamilyProperties(state.physical_device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    state.vk.GetPhysicalDeviceQueueFamilyProperties(state.physical_device, &count, families.data());
    state.timestamp_bits = families.at(state.queue_family).timestampValidBits;

    Capabilities& capabilities = state.capabilities;
    capabilities.cpu = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    capabilities.max_workgroup_invocations =
        std::min(state.limits.maxComputeWorkGroupInvocations, state.limits.maxComputeWorkGroupSize[0]);
    capabilities.max_workgroups = state.limits.maxComputeWorkGroupCount[0];
    capabilities.max_shared_bytes = state.limits.maxComputeSharedMemorySize;
    capabilities.max_storage_buffer_range = state.limits.maxStorageBufferRange;
    capabilities.storage_buffer_offset_alignment = state.limits.minStorageBufferOffsetAlignment;
    capabilities.timestamp_period_ns = state.timestamp_bits > 0 ? state.limits.timestampPeriod : 0;

    // Whatever can be bound as a storage buffer can be as texels.
    constexpr VkDeviceSize texel_bytes = 4;  // the smallest that shaders read
    capabilities.texel_blocks =
        state.limits.minTexelBufferOffsetAlignment <= state.limits.minStorageBufferOffsetAlignment &&
        state.limits.maxTexelBufferElements >= state.limits.maxStorageBufferRange / texel_bytes;

    constexpr VkSubgroupFeatureFlags needed =
        VK_SUBGROUP_FEATURE_BASIC_BIT | VK_SUBGROUP_FEATURE_ARITHMETIC_BIT | VK_SUBGROUP_FEATURE_BALLOT_BIT |
        VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
    if ((subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) &&
        (subgroup.supportedOperations & needed) == needed)
        capabilities.subgroup_size = subgroup.subgroupSize;
}

}  // namespace vknorm::detail
