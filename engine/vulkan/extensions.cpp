#include "vulkan/extensions.hpp"

#include <algorithm>

namespace vknorm::detail {

bool has_name(const Extensions& extensions, std::string_view name) {
    return std::any_of(extensions.begin(), extensions.end(),
                       [name](const VkExtensionProperties& other) { return name == other.extensionName; });
}

Extensions instance_extensions(const Functions& vk, const char* layer) {
    uint32_t count = 0;
    check_result(vk.EnumerateInstanceExtensionProperties(layer, &count, nullptr),
                 "vkEnumerateInstanceExtensionProperties");
    Extensions extensions(count);
    check_result(vk.EnumerateInstanceExtensionProperties(layer, &count, extensions.data()),
                 "vkEnumerateInstanceExtensionProperties");
    return extensions;
}

Extensions device_extensions(const Functions& vk, VkPhysicalDevice physical_device) {
    uint32_t count = 0;
    check_result(vk.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count, nullptr),
                 "vkEnumerateDeviceExtensionProperties");
    Extensions extensions(count);
    check_result(vk.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count, extensions.data()),
                 "vkEnumerateDeviceExtensionProperties");
    return extensions;
}

}  // namespace vknorm::detail
