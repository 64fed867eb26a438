// A Vulkan device for vknorm: one it opens itself, or one adopted from the caller.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <vulkan/vulkan_core.h>

#include <vknorm/error.hpp>
#include <vknorm/tuning.hpp>

namespace vknorm {

namespace detail {
struct DeviceState;
}

/// What a device can do, as data: planning and kernels read these numbers only, so that a test (or a cautious
/// user) may lower them and run the code meant for smaller devices.
struct Capabilities {
    bool cpu = false;                                  ///< shaders run on a CPU: other kernels are fast there
    uint32_t max_workgroup_invocations = 128;          ///< invocations in one workgroup
    uint32_t max_workgroups = 65535;                   ///< workgroups in the x dimension of one dispatch
    uint32_t max_shared_bytes = 16384;                 ///< shared memory of one workgroup
    VkDeviceSize max_storage_buffer_range = 1u << 27;  ///< bytes one binding may cover
    VkDeviceSize storage_buffer_offset_alignment = 256;
    uint32_t subgroup_size = 0;         ///< 0: subgroup arithmetic and shuffles are not to be used
    bool push_descriptors = false;      ///< else descriptor sets from growing pools
    bool timeline_semaphores = false;   ///< else fences
    bool mapped_device_memory = false;  ///< device memory is host visible: no staging copies
    bool storage_16_bit = false;        ///< storageBuffer16BitAccess
    bool shader_int64 = false;          ///< shaderInt64
    bool texel_blocks = false;          ///< whatever a storage buffer may hold can be read as texels
    float timestamp_period_ns = 0;      ///< 0: the queue has no timestamps
};

/// Identity of a physical device.
struct DeviceInfo {
    std::string name;                   ///< as the driver reports it
    std::string driver;                 ///< driver name and version
    std::array<uint8_t, 16> uuid = {};  ///< VkPhysicalDeviceIDProperties::deviceUUID
    VkPhysicalDeviceType type = VK_PHYSICAL_DEVICE_TYPE_OTHER;
    uint32_t api_version = 0;
    uint32_t driver_version = 0;  ///< as the driver counts
    std::string rejected;         ///< why vknorm cannot use it; empty when it can

    std::string uuid_text() const;  ///< 32 hexadecimal digits
};

/// Every physical device of this machine, usable or not. Throws Error when there is no Vulkan loader.
std::vector<DeviceInfo> enumerate_devices();

struct DeviceOptions {
    /// Case-insensitive part of the name or driver, or the UUID's 32 digits. Empty: the best device
    /// (discrete, then integrated, virtual, CPU). No match throws Error whose message lists every device and
    /// why it was rejected.
    std::string select;
    /// Switch on the validation layer (core and synchronization validation). Throws Unsupported when the
    /// layer is not installed.
    bool validation = false;
    /// With `validation`: GPU-assisted validation in place of synchronization validation (out-of-bounds
    /// accesses in shaders are reported). Implies descriptor sets in place of push descriptors.
    bool gpu_assisted = false;
    /// Called for every warning or error of the validation layer, from the thread that made the offending
    /// call.
    std::function<void(std::string_view)> on_validation_message;
    /// Lowers capabilities before anything is created. Raising a number is undefined behaviour.
    std::function<void(Capabilities&)> clamp;
    /// What makes kernels fast here: tuned_in(folder) measures it, once. Called last, for a device whose
    /// tuning is the table's; empty: that stays. Throws std::invalid_argument for a tuning that the device
    /// cannot do.
    Tuner tuning;
    /// Where what the driver compiled is kept, for the next device: read now, and replaced when the Device is
    /// destroyed, unless nothing is new or that fails. What another device, another driver, or something else
    /// wrote is ignored. Throws FileError when there is something else than a regular
    /// file, or no folder for it. Empty: nowhere. Drivers that keep a cache themselves gain nothing.
    std::filesystem::path pipeline_cache_file;
    std::chrono::milliseconds farewell = std::chrono::minutes(1);  ///< see Device
};

/// A device that belongs to the caller, who keeps everything alive until the Device, and all that was made
/// with it, is destroyed and what it submitted has run.
struct AdoptedDevice {
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    uint32_t queue_family = 0;  ///< must support compute
    VkQueue queue = VK_NULL_HANDLE;
    uint32_t api_version = VK_API_VERSION_1_1;  ///< the instance's apiVersion, at least 1.1
    /// Device extensions the caller enabled, and VK_EXT_debug_utils when the instance has it: then the
    /// engine's objects and labels are named.
    std::span<const char* const> extensions;
    bool timeline_semaphore_enabled = false;  ///< the feature was enabled at device creation
    bool storage_16_bit_enabled = false;      ///< so was storageBuffer16BitAccess
    bool shader_int64_enabled = false;        ///< and shaderInt64
    std::mutex* queue_mutex = nullptr;  ///< held around every use of the queue; null: nobody else uses it
    VkPipelineCache pipeline_cache = VK_NULL_HANDLE;  ///< used for every pipeline, by any thread; null: none
    PFN_vkGetInstanceProcAddr get_instance_proc_addr = nullptr;    ///< null: from libvulkan
    std::function<void(Capabilities&)> clamp;                      ///< as in DeviceOptions
    Tuner tuning;                                                  ///< the same
    std::chrono::milliseconds farewell = std::chrono::minutes(1);  ///< see Device
};

/// How much device memory the engine holds.
struct MemoryUse {
    VkDeviceSize used = 0;      ///< bytes in buffers that live, or that commands still use
    VkDeviceSize reserved = 0;  ///< bytes in VkDeviceMemory
    uint32_t allocations = 0;   ///< live VkDeviceMemory objects
};

/// A handle: copies are the same device, and so is what a Device was moved to. Every Buffer, Stream,
/// Recorder, operation and Network made with it keeps the device, so that all may be destroyed in any order.
/// What recorded or submitted commands use lives until they have run; destructors that have to wait for that
/// do so no longer than `farewell`, after which what is still used stays, for good if nobody uses the device
/// any more. All members may be called from any thread.
class Device {
  public:
    explicit Device(const DeviceOptions& options = {});
    /// Throws std::invalid_argument naming the missing member or the queue family without compute.
    static Device adopt(const AdoptedDevice& adopted);
    Device(const Device&) = default;
    Device& operator=(const Device&) = default;

    const DeviceInfo& info() const;
    const Capabilities& capabilities() const;
    /// Of every operation made with this device.
    const Tuning& tuning() const;
    MemoryUse memory_use() const;
    bool lost() const;
    /// Waits for everything submitted to the queue, by whomever; holds the queue's mutex meanwhile.
    void wait_idle();

    VkDevice handle() const;
    detail::DeviceState& state() const { return *state_; }

  private:
    Device(std::shared_ptr<detail::DeviceState> state, const Tuner& tuner);
    void tune(const Tuner& tuner);  // in ops/norm/tuning.cpp, which knows what is tuned

    std::shared_ptr<detail::DeviceState> state_;
};

}  // namespace vknorm
