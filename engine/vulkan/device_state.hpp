// What a Device holds, shared by everything made with it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <vknorm/buffer.hpp>

#include "vulkan/extensions.hpp"
#include "vulkan/memory.hpp"

namespace vknorm::detail {

class Completion;
class Pipelines;

/// Size of DeviceState::dummy.
constexpr VkDeviceSize dummy_bytes = 256;

/// Why an argument cannot be what it is, in the words of an error.
struct Refusal {
    std::string got, needed;
};

struct DeviceState : std::enable_shared_from_this<DeviceState> {
    Functions vk;
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    uint32_t queue_family = 0;
    VkQueue queue = VK_NULL_HANDLE;
    VkPipelineCache pipeline_cache = VK_NULL_HANDLE;
    bool owned = false;        ///< instance and device are ours to destroy
    bool debug_utils = false;  ///< names and labels may be set

    DeviceInfo info;
    Capabilities capabilities;
    Tuning tuning;
    VkPhysicalDeviceLimits limits = {};  ///< the device's own, not clamped
    uint32_t timestamp_bits = 0;

    std::mutex own_queue_mutex;
    std::mutex* queue_mutex = &own_queue_mutex;
    mutable std::atomic<bool> lost = false;

    std::function<void(std::string_view)> on_validation_message;
    VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;

    std::chrono::milliseconds farewell{};  ///< no destructor waits longer
    std::unique_ptr<Allocator> memory;
    std::unique_ptr<Pipelines> pipelines;
    std::unique_ptr<Completion> completion;
    std::shared_ptr<const Allocation> dummy;  ///< bound where an operation has no argument

    /// Makes an empty one. Before it is destroyed, what was submitted has run; else it stays.
    static std::shared_ptr<DeviceState> make();
    DeviceState();
    DeviceState(const DeviceState&) = delete;
    ~DeviceState();

    /// The last step of creation and adoption: everything that needs the VkDevice. `available` are extensions
    /// of the physical device.
    void finish(const Extensions& available, const std::function<void(Capabilities&)>& clamp);
    /// Throws Error for failure codes; remembers that the device was lost.
    void check(VkResult result, const char* call) const;
    /// Throws Error when the device was lost earlier.
    void require_alive() const;
    /// Tells what is wrong with a view for this device, as far as is known: of a buffer that belongs to a
    /// caller nothing is.
    std::optional<Refusal> refusal_of(const BufferView& view) const;
    /// For messages and captures only, so that failing to is no error.
    void set_name(VkObjectType type, uint64_t handle, std::string_view name) const;
};

std::shared_ptr<DeviceState> create_device(const DeviceOptions& options,
                                           PFN_vkGetInstanceProcAddr get_instance_proc_addr);
std::shared_ptr<DeviceState> adopt_device(const AdoptedDevice& adopted);

}  // namespace vknorm::detail
