// Vulkan tells which extensions there are.
#pragma once

#include <string_view>
#include <vector>

#include "vulkan/functions.hpp"

namespace vknorm::detail {

/// Asking takes a while, so each device is asked once.
using Extensions = std::vector<VkExtensionProperties>;

bool has_name(const Extensions& extensions, std::string_view name);

/// Returns those of the layer, or for null those of the loader and the drivers.
Extensions instance_extensions(const Functions& vk, const char* layer);
Extensions device_extensions(const Functions& vk, VkPhysicalDevice physical_device);

}  // namespace vknorm::detail
