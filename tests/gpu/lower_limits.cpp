// The limits of smaller devices, from VKNORM_PROFILE: "NAME=VALUE NAME=VALUE", with the names of Vulkan's
// structures.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "gpu/wrapper_driver.hpp"

namespace vknorm::wrapper {

namespace {

const std::map<std::string, uint64_t>& profile() {
    static const std::map<std::string, uint64_t> values = [] {
        std::map<std::string, uint64_t> parsed;
        const char* text = std::getenv("VKNORM_PROFILE");
        std::istringstream words(text ? text : "");
        for (std::string word; words >> word;) {
            const size_t equals = word.find('=');
            if (equals == std::string::npos) continue;
            parsed[word.substr(0, equals)] = std::strtoull(word.c_str() + equals + 1, nullptr, 0);
        }
        return parsed;
    }();
    return values;
}

template <class Number>
void replace(const char* name, Number& number) {
    const auto found = profile().find(name);
    if (found != profile().end()) number = static_cast<Number>(found->second);
}

void replace_limits(VkPhysicalDeviceLimits& limits) {
    replace("maxPerStageDescriptorStorageBuffers", limits.maxPerStageDescriptorStorageBuffers);
    replace("maxStorageBufferRange", limits.maxStorageBufferRange);
    replace("minStorageBufferOffsetAlignment", limits.minStorageBufferOffsetAlignment);
    replace("minTexelBufferOffsetAlignment", limits.minTexelBufferOffsetAlignment);
    replace("maxTexelBufferElements", limits.maxTexelBufferElements);
    replace("maxComputeWorkGroupInvocations", limits.maxComputeWorkGroupInvocations);
    replace("maxComputeWorkGroupSize", limits.maxComputeWorkGroupSize[0]);
    replace("maxComputeSharedMemorySize", limits.maxComputeSharedMemorySize);
    replace("maxPushConstantsSize", limits.maxPushConstantsSize);
}

VKAPI_ATTR void VKAPI_CALL get_properties(VkPhysicalDevice device, VkPhysicalDeviceProperties* properties) {
    WRAPPED(vkGetPhysicalDeviceProperties)(device, properties);
    replace("deviceType", properties->deviceType);
    replace_limits(properties->limits);
}

VKAPI_ATTR void VKAPI_CALL get_properties_2(VkPhysicalDevice device,
                                            VkPhysicalDeviceProperties2* properties) {
    WRAPPED(vkGetPhysicalDeviceProperties2)(device, properties);
    replace("deviceType", properties->properties.deviceType);
    replace_limits(properties->properties.limits);
    for (auto* next = static_cast<VkBaseOutStructure*>(properties->pNext); next; next = next->pNext) {
        if (next->sType != VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES) continue;
        auto& subgroup = reinterpret_cast<VkPhysicalDeviceSubgroupProperties&>(*next);
        replace("subgroupSize", subgroup.subgroupSize);
        replace("subgroupOperations", subgroup.supportedOperations);
    }
}

}  // namespace

std::span<const Replacement> lower_limits() {
    static const Replacement functions[] = {
        replacement("vkGetPhysicalDeviceProperties", get_properties),
        replacement("vkGetPhysicalDeviceProperties2", get_properties_2),
        replacement("vkGetPhysicalDeviceProperties2KHR", get_properties_2),
    };
    return functions;
}

}  // namespace vknorm::wrapper
