#include "vulkan/functions.hpp"

#include <dlfcn.h>
#include <string>

#include <vknorm/error.hpp>

namespace vknorm::detail {

namespace {

template <class Function>
void load(Function& entry, PFN_vkVoidFunction found) {
    entry = reinterpret_cast<Function>(found);
}

template <class Function>
void require(Function function, const char* name) {
    if (!function)
        throw Error(VK_ERROR_INITIALIZATION_FAILED,
                    std::string(name) + " is missing: vknorm needs Vulkan 1.1");
}

}  // namespace

void Functions::load_global(PFN_vkGetInstanceProcAddr get_instance_proc_addr) {
    GetInstanceProcAddr = get_instance_proc_addr;
#define VKNORM_LOAD(name)                                        \
    load(name, GetInstanceProcAddr(VK_NULL_HANDLE, "vk" #name)); \
    require(name, "vk" #name);
    VKNORM_GLOBAL_FUNCTIONS(VKNORM_LOAD)
#undef VKNORM_LOAD
}

void Functions::load_instance(VkInstance instance) {
#define VKNORM_LOAD(name) load(name, GetInstanceProcAddr(instance, "vk" #name));
#define VKNORM_LOAD_REQUIRED(name) VKNORM_LOAD(name) require(name, "vk" #name);
    VKNORM_INSTANCE_FUNCTIONS(VKNORM_LOAD_REQUIRED)
    VKNORM_OPTIONAL_INSTANCE_FUNCTIONS(VKNORM_LOAD)
#undef VKNORM_LOAD_REQUIRED
#undef VKNORM_LOAD
}

void Functions::load_device(VkDevice device) {
#define VKNORM_LOAD(name) load(name, GetDeviceProcAddr(device, "vk" #name));
#define VKNORM_LOAD_REQUIRED(name) VKNORM_LOAD(name) require(name, "vk" #name);
#define VKNORM_LOAD_PROMOTED(name)                           \
    load(name, GetDeviceProcAddr(device, "vk" #name "KHR")); \
    if (!(name)) VKNORM_LOAD(name)
    VKNORM_DEVICE_FUNCTIONS(VKNORM_LOAD_REQUIRED)
    VKNORM_OPTIONAL_DEVICE_FUNCTIONS(VKNORM_LOAD)
    VKNORM_PROMOTED_DEVICE_FUNCTIONS(VKNORM_LOAD_PROMOTED)
#undef VKNORM_LOAD_PROMOTED
#undef VKNORM_LOAD_REQUIRED
#undef VKNORM_LOAD
}

PFN_vkGetInstanceProcAddr open_loader() {
    // It is never closed: drivers keep threads that would run into unmapped code.
    static void* const library = [] {
        for (const char* name : {"libvulkan.so.1", "libvulkan.1.dylib", "libMoltenVK.dylib"})
            if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return handle;
        return static_cast<void*>(nullptr);
    }();
    if (!library)
        throw Error(VK_ERROR_INITIALIZATION_FAILED,
                    "no Vulkan loader (libvulkan.so.1): install it, on Debian and Ubuntu with "
                    "`apt install libvulkan1`");
    const auto get = reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
    require(get, "vkGetInstanceProcAddr");
    return get;
}

const char* result_name(VkResult result) {
    switch (result) {
#define VKNORM_NAME(name) \
    case name:            \
        return #name;
        VKNORM_NAME(VK_SUCCESS)
        VKNORM_NAME(VK_NOT_READY)
        VKNORM_NAME(VK_TIMEOUT)
        VKNORM_NAME(VK_INCOMPLETE)
        VKNORM_NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
        VKNORM_NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        VKNORM_NAME(VK_ERROR_INITIALIZATION_FAILED)
        VKNORM_NAME(VK_ERROR_DEVICE_LOST)
        VKNORM_NAME(VK_ERROR_MEMORY_MAP_FAILED)
        VKNORM_NAME(VK_ERROR_LAYER_NOT_PRESENT)
        VKNORM_NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
        VKNORM_NAME(VK_ERROR_FEATURE_NOT_PRESENT)
        VKNORM_NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
        VKNORM_NAME(VK_ERROR_TOO_MANY_OBJECTS)
        VKNORM_NAME(VK_ERROR_FRAGMENTED_POOL)
        VKNORM_NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
        VKNORM_NAME(VK_ERROR_INVALID_EXTERNAL_HANDLE)
#undef VKNORM_NAME
        default:
            return "an unknown error";
    }
}

void check_result(VkResult result, const char* call) {
    if (result < 0) throw Error(result, std::string(call) + " failed with " + result_name(result));
}

}  // namespace vknorm::detail
