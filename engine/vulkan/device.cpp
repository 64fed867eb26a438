#include <algorithm>
#include <vector>

#include <vknorm/device.hpp>

#include "vulkan/capabilities.hpp"
#include "vulkan/completion.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/pipelines.hpp"

namespace vknorm {

namespace detail {

namespace {

/// All devices that have memory, so that each can tell the buffers of the others.
struct LivingDevices {
    std::mutex mutex;
    std::vector<const DeviceState*> states;
};

LivingDevices& living_devices() {
    // It is never destroyed: devices may live until the end of the process.
    static LivingDevices& devices = *new LivingDevices;
    return devices;
}

/// Of another device than `own`, if one has that buffer. Two states may share a caller's device.
bool belongs_to_another(VkBuffer buffer, const DeviceState& own) {
    LivingDevices& devices = living_devices();
    const std::lock_guard lock(devices.mutex);
    return std::any_of(devices.states.begin(), devices.states.end(), [&](const DeviceState* state) {
        return state->device != own.device && state->memory->owns(buffer);
    });
}

}  // namespace

std::shared_ptr<DeviceState> DeviceState::make() {
    return {
        new DeviceState, [](DeviceState* state) {
            // What still runs after all this time needs its memory: it stays.
            if (state->completion && !state->completion->wait_before_destruction(state->completion->last()))
                return;
            delete state;
        }};
}

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
    completion = std::make_unique<Completion>(*this);
    dummy = memory->allocate(dummy_bytes, Memory::device, "vknorm absent argument");
    LivingDevices& devices = living_devices();
    const std::lock_guard lock(devices.mutex);
    devices.states.push_back(this);
}

DeviceState::DeviceState() = default;

DeviceState::~DeviceState() {
    {
        LivingDevices& devices = living_devices();
        const std::lock_guard lock(devices.mutex);
        std::erase(devices.states, this);
    }
    completion.reset();
    pipelines.reset();
    dummy.reset();
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

std::optional<Refusal> DeviceState::refusal_of(const BufferView& view) const {
    const auto range = [&] {
        return "bytes [" + std::to_string(view.offset) + ", +" + std::to_string(view.bytes) + ")";
    };
    if (view.offset + view.bytes < view.offset) return Refusal{range(), "a range that ends below 2^64"};
    if (const auto own = memory->find(view.buffer)) {
        if (view.offset + view.bytes <= own->bytes) return std::nullopt;
        return Refusal{range() + " of a buffer of " + std::to_string(own->bytes),
                       "a range within the buffer"};
    }
    // Handles of two devices may be equal. Where the device is the caller's, so may the buffer be.
    if (owned && belongs_to_another(view.buffer, *this))
        return Refusal{"a buffer of another device", "one of this device"};
    return std::nullopt;
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

Device::Device(std::shared_ptr<detail::DeviceState> state, const Tuner& tuner) : state_(std::move(state)) {
    tune(tuner);
}
Device::Device(const DeviceOptions& options)
    : Device(detail::create_device(options, detail::open_loader()), options.tuning) {}
Device Device::adopt(const AdoptedDevice& adopted) {
    return {detail::adopt_device(adopted), adopted.tuning};
}

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
    {
        const std::lock_guard lock(*state_->queue_mutex);
        state_->check(state_->vk.QueueWaitIdle(state_->queue), "vkQueueWaitIdle");
    }
    state_->completion->idle();  // gives back what the commands used
}
VkDevice Device::handle() const {
    return state_->device;
}

}  // namespace vknorm
