// A device that belongs to the caller.
#include <stdexcept>
#include <string_view>

#include "vulkan/device_state.hpp"
#include "vulkan/select.hpp"

namespace vknorm::detail {

namespace {

[[noreturn]] void reject(const std::string& what) {
    throw std::invalid_argument("AdoptedDevice." + what);
}

void require_members(const AdoptedDevice& adopted) {
    if (adopted.instance == VK_NULL_HANDLE) reject("instance: got null");
    if (adopted.physical_device == VK_NULL_HANDLE) reject("physical_device: got null");
    if (adopted.device == VK_NULL_HANDLE) reject("device: got null");
    if (adopted.queue == VK_NULL_HANDLE) reject("queue: got null");
    if (adopted.api_version < VK_API_VERSION_1_1)
        reject("api_version: got " + version_text(adopted.api_version) + ", needs at least 1.1");
}

void require_compute(const DeviceState& state) {
    uint32_t count = 0;
    state.vk.GetPhysicalDeviceQueueFamilyProperties(state.physical_device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    state.vk.GetPhysicalDeviceQueueFamilyProperties(state.physical_device, &count, families.data());
    if (state.queue_family >= count)
        reject("queue_family: got " + std::to_string(state.queue_family) + ", the device has " +
               std::to_string(count));
    if (!(families[state.queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT))
        reject("queue_family: family " + std::to_string(state.queue_family) + " has no compute");
}

}  // namespace

std::shared_ptr<DeviceState> adopt_device(const AdoptedDevice& adopted) {
    require_members(adopted);
    const std::shared_ptr<DeviceState> state = DeviceState::make();
    state->farewell = adopted.farewell;
    state->vk.load_global(adopted.get_instance_proc_addr ? adopted.get_instance_proc_addr : open_loader());
    state->vk.load_instance(adopted.instance);
    state->instance = adopted.instance;
    state->physical_device = adopted.physical_device;
    state->queue_family = adopted.queue_family;
    require_compute(*state);
    const Extensions available = device_extensions(state->vk, adopted.physical_device);
    state->info = describe(state->vk, adopted.physical_device, available);
    if (!state->info.rejected.empty()) reject("physical_device: " + state->info.rejected);

    state->device = adopted.device;
    state->vk.load_device(adopted.device);
    state->queue = adopted.queue;
    if (adopted.queue_mutex) state->queue_mutex = adopted.queue_mutex;
    state->pipeline_cache = adopted.pipeline_cache;
    for (const std::string_view extension : adopted.extensions) {
        if (extension == VK_EXT_DEBUG_UTILS_EXTENSION_NAME) state->debug_utils = true;
        if (extension == VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME) state->capabilities.push_descriptors = true;
    }
    state->capabilities.timeline_semaphores = adopted.timeline_semaphore_enabled;
    state->capabilities.storage_16_bit = adopted.storage_16_bit_enabled;
    state->capabilities.shader_int64 = adopted.shader_int64_enabled;
    state->finish(available, adopted.clamp);
    return state;
}

}  // namespace vknorm::detail
