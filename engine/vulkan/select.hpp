// Which physical device to use.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <vknorm/device.hpp>

#include "vulkan/extensions.hpp"

namespace vknorm::detail {

struct Candidate {
    VkPhysicalDevice physical_device;
    uint32_t queue_family;  ///< with compute, and with timestamps where one has both
    Extensions extensions;
    DeviceInfo info;
};

/// All physical devices of an instance, those vknorm cannot use included (info.rejected says why).
std::vector<Candidate> enumerate(const Functions& vk, VkInstance instance);

std::vector<DeviceInfo> infos_of(std::span<const Candidate> candidates);

/// One physical device with these extensions; its queue family is not looked for.
DeviceInfo describe(const Functions& vk, VkPhysicalDevice physical_device, const Extensions& extensions);

/// "1.1".
std::string version_text(uint32_t version);

/// Index of the best usable device that matches `select`, see DeviceOptions::select. Throws Error listing
/// every device and why it is not it.
size_t choose(std::span<const DeviceInfo> devices, std::string_view select);

}  // namespace vknorm::detail
