// Every Vulkan function that the engine calls stands in one private table.
//
// The engine links no Vulkan library and defines no vk* symbol: libvulkan is opened at run time and the table
// is filled through it, so that the engine lives beside any other loader code, can adopt a caller's device,
// and tests can replace single entries.
#pragma once

#include <vulkan/vulkan_core.h>

namespace vknorm::detail {

#define VKNORM_GLOBAL_FUNCTIONS(X)          \
    X(CreateInstance)                       \
    X(EnumerateInstanceExtensionProperties) \
    X(EnumerateInstanceLayerProperties)     \
    X(EnumerateInstanceVersion)

#define VKNORM_INSTANCE_FUNCTIONS(X)      \
    X(CreateDevice)                       \
    X(DestroyInstance)                    \
    X(EnumerateDeviceExtensionProperties) \
    X(EnumeratePhysicalDevices)           \
    X(GetDeviceProcAddr)                  \
    X(GetPhysicalDeviceFeatures2)         \
    X(GetPhysicalDeviceMemoryProperties2) \
    X(GetPhysicalDeviceProperties)        \
    X(GetPhysicalDeviceProperties2)       \
    X(GetPhysicalDeviceQueueFamilyProperties)

#define VKNORM_OPTIONAL_INSTANCE_FUNCTIONS(X) \
    X(CreateDebugUtilsMessengerEXT)           \
    X(DestroyDebugUtilsMessengerEXT)

#define VKNORM_DEVICE_FUNCTIONS(X) \
    X(AllocateCommandBuffers)      \
    X(AllocateDescriptorSets)      \
    X(AllocateMemory)              \
    X(BeginCommandBuffer)          \
    X(BindBufferMemory)            \
    X(CmdBindDescriptorSets)       \
    X(CmdBindPipeline)             \
    X(CmdCopyBuffer)               \
    X(CmdDispatch)                 \
    X(CmdFillBuffer)               \
    X(CmdPipelineBarrier)          \
    X(CmdPushConstants)            \
    X(CmdResetQueryPool)           \
    X(CmdWriteTimestamp)           \
    X(CreateBuffer)                \
    X(CreateBufferView)            \
    X(CreateCommandPool)           \
    X(CreateComputePipelines)      \
    X(CreateDescriptorPool)        \
    X(CreateDescriptorSetLayout)   \
    X(CreateFence)                 \
    X(CreatePipelineCache)         \
    X(CreatePipelineLayout)        \
    X(CreateQueryPool)             \
    X(CreateSemaphore)             \
    X(CreateShaderModule)          \
    X(DestroyBuffer)               \
    X(DestroyBufferView)           \
    X(DestroyCommandPool)          \
    X(DestroyDescriptorPool)       \
    X(DestroyDescriptorSetLayout)  \
    X(DestroyDevice)               \
    X(DestroyFence)                \
    X(DestroyPipeline)             \
    X(DestroyPipelineCache)        \
    X(DestroyPipelineLayout)       \
    X(DestroyQueryPool)            \
    X(DestroySemaphore)            \
    X(DestroyShaderModule)         \
    X(EndCommandBuffer)            \
    X(FreeMemory)                  \
    X(GetBufferMemoryRequirements) \
    X(GetDeviceQueue)              \
    X(GetPipelineCacheData)        \
    X(GetQueryPoolResults)         \
    X(MapMemory)                   \
    X(QueueSubmit)                 \
    X(QueueWaitIdle)               \
    X(ResetCommandPool)            \
    X(ResetDescriptorPool)         \
    X(UpdateDescriptorSets)        \
    X(WaitForFences)

#define VKNORM_OPTIONAL_DEVICE_FUNCTIONS(X) \
    X(CmdBeginDebugUtilsLabelEXT)           \
    X(CmdEndDebugUtilsLabelEXT)             \
    X(CmdPushDescriptorSetKHR)              \
    X(SetDebugUtilsObjectNameEXT)

// These extensions became core: the KHR name is tried first.
#define VKNORM_PROMOTED_DEVICE_FUNCTIONS(X) X(WaitSemaphores)

struct Functions {
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr = nullptr;
#define VKNORM_MEMBER(name) PFN_vk##name name = nullptr;
    VKNORM_GLOBAL_FUNCTIONS(VKNORM_MEMBER)
    VKNORM_INSTANCE_FUNCTIONS(VKNORM_MEMBER)
    VKNORM_OPTIONAL_INSTANCE_FUNCTIONS(VKNORM_MEMBER)
    VKNORM_DEVICE_FUNCTIONS(VKNORM_MEMBER)
    VKNORM_OPTIONAL_DEVICE_FUNCTIONS(VKNORM_MEMBER)
    VKNORM_PROMOTED_DEVICE_FUNCTIONS(VKNORM_MEMBER)
#undef VKNORM_MEMBER

    /// Each of these throws Error naming the first function that is missing. Optional ones stay null.
    void load_global(PFN_vkGetInstanceProcAddr get_instance_proc_addr);
    void load_instance(VkInstance instance);
    void load_device(VkDevice device);
};

/// Opens libvulkan, once per process. Throws Error naming the package to install.
PFN_vkGetInstanceProcAddr open_loader();

/// Names `result`: "VK_ERROR_DEVICE_LOST" and so on.
const char* result_name(VkResult result);

/// Throws Error naming the call, unless the result is a success code.
void check_result(VkResult result, const char* call);

}  // namespace vknorm::detail
