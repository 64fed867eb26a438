// What extensions there are.
#pragma once

#include <string_view>
#include <vector>

#include "vulkan/functions.hpp"

namespace vknorm::detail {

/// Asking takes a while: once for each device.
using Extensions = std::vector<VkExtensionProperties>;

bool has_name(const Extensions& extensions, std::string_view name);

/// Of the layer, or of the loader and the drivers for null.
Extensions instance_extensions(const Functions& vk, const char* layer);
Extensions device_extensions(const Functions& vk, VkPhysicalDevice physical_device);

}  // namespace vknorm::detail
