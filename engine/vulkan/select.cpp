#include "vulkan/select.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "vulkan/capabilities.hpp"

namespace vknorm::detail {

namespace {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

bool contains(std::string_view text, std::string_view part) {
    return lower_case(text).find(lower_case(part)) != std::string::npos;
}

bool matches(const DeviceInfo& info, std::string_view select) {
    return contains(info.name, select) || contains(info.driver, select) ||
           lower_case(select) == info.uuid_text();
}

int rank(VkPhysicalDeviceType type) {
    switch (type) {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
            return 4;
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
            return 3;
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
            return 2;
        case VK_PHYSICAL_DEVICE_TYPE_CPU:
            return 1;
        default:
            return 0;
    }
}

std::optional<uint32_t> compute_queue_family(const Functions& vk, VkPhysicalDevice physical_device) {
    uint32_t count = 0;
    vk.GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vk.GetPhysicalDeviceQueueFamilyProperties(physical_device, &count, families.data());
    std::optional<uint32_t> found;
    for (uint32_t i = 0; i < count; ++i) {
        if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT)) continue;
        if (families[i].timestampValidBits > 0) return i;
        if (!found) found = i;
    }
    return found;
}

}  // namespace

std::string version_text(uint32_t version) {
    return std::to_string(VK_API_VERSION_MAJOR(version)) + "." +
           std::to_string(VK_API_VERSION_MINOR(version));
}

std::string shortcoming(const VkPhysicalDeviceProperties& properties) {
    if (properties.apiVersion < VK_API_VERSION_1_1)
        return "has Vulkan " + version_text(properties.apiVersion) + ", needs 1.1";
    const uint32_t storage_buffers = properties.limits.maxPerStageDescriptorStorageBuffers;
    if (storage_buffers < needed_storage_buffers)
        return "has " + std::to_string(storage_buffers) + " storage buffers for a shader, needs " +
               std::to_string(needed_storage_buffers);
    return {};
}

DeviceInfo describe(const Functions& vk, VkPhysicalDevice physical_device, const Extensions& extensions) {
    DeviceInfo info;
    VkPhysicalDeviceProperties properties;
    vk.GetPhysicalDeviceProperties(physical_device, &properties);
    info.name = properties.deviceName;
    info.type = properties.deviceType;
    info.api_version = properties.apiVersion;
    info.driver_version = properties.driverVersion;
    info.rejected = shortcoming(properties);
    if (properties.apiVersion < VK_API_VERSION_1_1) return info;  // which cannot tell more about itself

    const bool has_driver_properties = properties.apiVersion >= VK_API_VERSION_1_2 ||
                                       has_name(extensions, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);

    VkPhysicalDeviceDriverProperties driver = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceIDProperties id = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    if (has_driver_properties) id.pNext = &driver;
    VkPhysicalDeviceProperties2 properties2 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &id};
    vk.GetPhysicalDeviceProperties2(physical_device, &properties2);
    std::copy(std::begin(id.deviceUUID), std::end(id.deviceUUID), info.uuid.begin());
    info.driver = driver.driverName;
    if (driver.driverInfo[0] != '\0')
        info.driver += std::string(info.driver.empty() ? "" : " ") + driver.driverInfo;
    if (info.driver.empty()) info.driver = "driver version " + std::to_string(properties.driverVersion);
    return info;
}

std::vector<Candidate> enumerate(const Functions& vk, VkInstance instance) {
    // Each call asks every driver anew; with this much room one call is enough on most machines.
    constexpr uint32_t usual_room = 16;
    std::vector<VkPhysicalDevice> physical_devices;
    VkResult result = VK_INCOMPLETE;
    for (uint32_t room = usual_room; result == VK_INCOMPLETE; room *= 2) {
        physical_devices.resize(room);
        uint32_t count = room;
        result = vk.EnumeratePhysicalDevices(instance, &count, physical_devices.data());
        check_result(result, "vkEnumeratePhysicalDevices");
        physical_devices.resize(count);
    }
    std::vector<Candidate> candidates;
    for (VkPhysicalDevice physical_device : physical_devices) {
        Extensions extensions = device_extensions(vk, physical_device);
        DeviceInfo info = describe(vk, physical_device, extensions);
        Candidate candidate = {physical_device, 0, std::move(extensions), std::move(info)};
        if (const auto family = compute_queue_family(vk, physical_device))
            candidate.queue_family = *family;
        else if (candidate.info.rejected.empty())
            candidate.info.rejected = "has no queue family with compute";
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

std::vector<DeviceInfo> infos_of(std::span<const Candidate> candidates) {
    std::vector<DeviceInfo> infos;
    infos.reserve(candidates.size());
    for (const Candidate& candidate : candidates) infos.push_back(candidate.info);
    return infos;
}

size_t choose(std::span<const DeviceInfo> devices, std::string_view select) {
    std::optional<size_t> best;
    std::string list;
    for (size_t i = 0; i < devices.size(); ++i) {
        const DeviceInfo& info = devices[i];
        const bool wanted = select.empty() || matches(info, select);
        if (wanted && info.rejected.empty() && (!best || rank(info.type) > rank(devices[*best].type)))
            best = i;
        list += "\n  " + info.name + " (" + info.driver + ", UUID " + info.uuid_text() +
                "): " + (!info.rejected.empty() ? info.rejected : "does not match");
    }
    if (best) return *best;
    if (devices.empty())
        throw Error(VK_ERROR_INITIALIZATION_FAILED,
                    "no Vulkan device: install a driver, on Debian and Ubuntu with `apt install "
                    "mesa-vulkan-drivers`");
    throw Error(VK_ERROR_INITIALIZATION_FAILED,
                (select.empty() ? std::string("no usable Vulkan device:")
                                : "no usable Vulkan device matches \"" + std::string(select) + "\":") +
                    list);
}

}  // namespace vknorm::detail

namespace vknorm {

std::string DeviceInfo::uuid_text() const {
    std::string text;
    for (const uint8_t byte : uuid) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

}  // namespace vknorm
