#include <vknorm/device.hpp>

#include "vulkan/capabilities.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/pipelines.hpp"

namespace vknorm {

namespace detail {

void DeviceState::finish(const Extensions& available, const std::function<void(Capabilities&)>& clamp) {
    read_limits(*this);
    capabilities.push_descriptors = capabilities.push_descriptors && vk.CmdPushDescriptorSetKHR;
    capabilities.timeline_semaphores = capabilities.timeline_semaphores && vk.WaitSemaphores;
    debug_utils = debug_utils && vk.SetDebugUtilsObjectNameEXT && vk.CmdBeginDebugUtilsLabelEXT &&
                  vk.CmdEndDebugUtilsLabelEXT;
    memory = std::make_unique<Allocator>(*this, has_name(available, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME));
    capabilities.mapped_device_memory = memory->device_memory_is_mapped();
    if (clamp) clamp(capabilities);
    pipelines = std::make_unique<Pipelines>(*this);
    dummy = memory->allocate(dummy_bytes, Memory::device, "vknorm absent argument");
}

DeviceState::DeviceState() = default;

DeviceState::~DeviceState() {
    pipelines.reset();
    if (dummy.buffer != VK_NULL_HANDLE) memory->release(dummy);
    memory.reset();
    if (!owned) return;
    if (device != VK_NULL_HANDLE && vk.DestroyDevice) vk.DestroyDevice(device, nullptr);
    if (messenger != VK_NULL_HANDLE) vk.DestroyDebugUtilsMessengerEXT(instance, messenger, nullptr);
    if (instance != VK_NULL_HANDLE && vk.DestroyInstance) vk.DestroyInstance(instance, nullptr);
}

void DeviceState::check(VkResult result, const char* call) const {
    if (result == VK_ERROR_DEVICE_LOST) lost = true;
    check_result(result, call);
}

void DeviceState::require_alive() const {
    if (lost) throw Error(VK_ERROR_DEVICE_LOST, "the device \"" + info.name + "\" was lost earlier");
}

void DeviceState::set_name(VkObjectType type, uint64_t handle, std::string_view name) const {
    if (!debug_utils) return;
    const std::string terminated(name);
    VkDebugUtilsObjectNameInfoEXT object = {VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT};
    object.objectType = type;
    object.objectHandle = handle;
    object.pObjectName = terminated.c_str();
    vk.SetDebugUtilsObjectNameEXT(device, &object);
}

}  // namespace detail

Device::Device(std::unique_ptr<detail::DeviceState> state, const Tuner& tuner) : state_(std::move(state)) {
    tune(tuner);
}
Device::Device(const DeviceOptions& options)
    : Device(detail::create_device(options, detail::open_loader()), options.tuning) {}
Device Device::adopt(const AdoptedDevice& adopted) {
    return {detail::adopt_device(adopted), adopted.tuning};
}
Device::~Device() = default;

const DeviceInfo& Device::info() const {
    return state_->info;
}
const Capabilities& Device::capabilities() const {
    return state_->capabilities;
}
const Tuning& Device::tuning() const {
    return state_->tuning;
}
MemoryUse Device::memory_use() const {
    return state_->memory->use();
}
bool Device::lost() const {
    return state_->lost;
}
void Device::wait_idle() {
    state_->require_alive();
    const std::lock_guard lock(*state_->queue_mutex);
    state_->check(state_->vk.QueueWaitIdle(state_->queue), "vkQueueWaitIdle");
}
VkDevice Device::handle() const {
    return state_->device;
}

}  // namespace vknorm
