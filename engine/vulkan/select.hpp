// The engine chooses which physical device it uses.
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

/// Returns all physical devices of an instance, those that vknorm cannot use included (info.rejected says
/// why).
std::vector<Candidate> enumerate(const Functions& vk, VkInstance instance);

std::vector<DeviceInfo> infos_of(std::span<const Candidate> candidates);

/// Describes a physical device with these extensions; its queue family is not looked for.
DeviceInfo describe(const Functions& vk, VkPhysicalDevice physical_device, const Extensions& extensions);

/// Why vknorm cannot use a device with these properties; empty when it can.
std::string shortcoming(const VkPhysicalDeviceProperties& properties);

/// Writes `version` as "1.1".
std::string version_text(uint32_t version);

/// Returns the index of the best usable device that matches `select` (DeviceOptions::select). Throws Error
/// listing every device and why it is not it.
size_t choose(std::span<const DeviceInfo> devices, std::string_view select);

}  // namespace vknorm::detail
