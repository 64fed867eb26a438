#include "gpu/wrapper_driver.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <vulkan/vk_icd.h>

namespace vknorm::wrapper {

namespace {

VkInstance instance = VK_NULL_HANDLE;

void* library() {
    static void* const opened = [] {
        const char* name = std::getenv("VKNORM_WRAPPED");
        void* handle = name ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : nullptr;
        if (!handle)
            std::fprintf(stderr, "VKNORM_WRAPPED: %s\n",
                         name ? dlerror() : "got nothing, needs a driver's library");
        return handle;
    }();
    return opened;
}

template <class Function>
Function exported(const char* name) {
    return library() ? reinterpret_cast<Function>(dlsym(library(), name)) : nullptr;
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo* info,
                                               const VkAllocationCallbacks* callbacks, VkInstance* created) {
    const auto create = WRAPPED(vkCreateInstance);
    if (!create) return VK_ERROR_INITIALIZATION_FAILED;
    const VkResult result = create(info, callbacks, created);
    if (result == VK_SUCCESS) instance = *created;
    return result;
}

PFN_vkVoidFunction function(const char* name);

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_proc_addr(VkDevice, const char* name) {
    return function(name);
}

const Replacement own[] = {replacement("vkCreateInstance", create_instance),
                           replacement("vkGetDeviceProcAddr", get_device_proc_addr)};

PFN_vkVoidFunction function(const char* name) {
    std::vector<std::span<const Replacement>> all{own, lower_limits(), compilation()};
    if (only_compiles()) all.push_back(no_hardware());
    for (const std::span<const Replacement> some : all) {
        const auto found = std::ranges::find(some, std::string_view(name), &Replacement::name);
        if (found != some.end()) return found->function;
    }
    const PFN_vkVoidFunction theirs = wrapped(name);
    const bool command = std::string_view(name).starts_with("vkCmd");
    return theirs && command && only_compiles() ? nothing() : theirs;
}

}  // namespace

PFN_vkVoidFunction wrapped(const char* name) {
    static const auto get = exported<PFN_vkGetInstanceProcAddr>("vk_icdGetInstanceProcAddr");
    return get ? get(instance, name) : nullptr;
}

bool only_compiles() {
    return std::getenv("VKNORM_WRAPPED_COMPILES") != nullptr;
}

// What the loader asks a driver for.
extern "C" {

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetInstanceProcAddr(VkInstance, const char* name) {
    return function(name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL vk_icdGetPhysicalDeviceProcAddr(VkInstance, const char* name) {
    const bool known = std::string_view(name).starts_with("vkGetPhysicalDevice");
    return known ? function(name) : nullptr;
}

VKAPI_ATTR VkResult VKAPI_CALL vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
    const auto negotiate = exported<VkResult (*)(uint32_t*)>("vk_icdNegotiateLoaderICDInterfaceVersion");
    return negotiate ? negotiate(version) : VK_ERROR_INCOMPATIBLE_DRIVER;
}
}

}  // namespace vknorm::wrapper
