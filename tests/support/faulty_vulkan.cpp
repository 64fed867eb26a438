#include "support/faulty_vulkan.hpp"

#include <string_view>
#include <type_traits>

#include "vulkan/functions.hpp"

namespace vknorm::testing {

namespace {

using detail::Functions;

int calls = 0, failing_call = 0;
VkResult failure = VK_SUCCESS;
std::string failed;
Functions real;

bool fails(const char* name) {
    if (++calls != failing_call) return false;
    failed = name;
    return true;
}

/// Stands before one entry of the table. Functions that cannot fail go through as they are.
template <auto entry, class Function = std::decay_t<decltype(std::declval<Functions>().*entry)>>
struct Gate {
    static PFN_vkVoidFunction pass(PFN_vkVoidFunction function, const char*) { return function; }
};

template <auto entry, class... Arguments>
struct Gate<entry, VkResult(VKAPI_PTR*)(Arguments...)> {
    static inline const char* name_ = nullptr;

    static VKAPI_ATTR VkResult VKAPI_CALL call(Arguments... arguments) {
        return fails(name_) ? failure : (real.*entry)(arguments...);
    }
    static PFN_vkVoidFunction pass(PFN_vkVoidFunction function, const char* name) {
        if (!function) return nullptr;
        name_ = name;
        real.*entry = reinterpret_cast<std::decay_t<decltype(real.*entry)>>(function);
        return reinterpret_cast<PFN_vkVoidFunction>(call);
    }
};

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_proc_addr(VkDevice device, const char* name);

PFN_vkVoidFunction gate(const char* name, PFN_vkVoidFunction function) {
    const std::string_view wanted(name);
    if (wanted == "vkGetDeviceProcAddr") {
        real.GetDeviceProcAddr = reinterpret_cast<PFN_vkGetDeviceProcAddr>(function);
        return reinterpret_cast<PFN_vkVoidFunction>(get_device_proc_addr);
    }
#define VKNORM_GATE(entry)                                    \
    if (wanted == "vk" #entry || wanted == "vk" #entry "KHR") \
        return Gate<&Functions::entry>::pass(function, "vk" #entry);
    VKNORM_GLOBAL_FUNCTIONS(VKNORM_GATE)
    VKNORM_INSTANCE_FUNCTIONS(VKNORM_GATE)
    VKNORM_OPTIONAL_INSTANCE_FUNCTIONS(VKNORM_GATE)
    VKNORM_DEVICE_FUNCTIONS(VKNORM_GATE)
    VKNORM_PROMOTED_DEVICE_FUNCTIONS(VKNORM_GATE)
#undef VKNORM_GATE
    return function;
}

PFN_vkVoidFunction VKAPI_CALL get_device_proc_addr(VkDevice device, const char* name) {
    return gate(name, real.GetDeviceProcAddr(device, name));
}

}  // namespace

void plan_fault(int call, VkResult result) {
    calls = 0;
    failing_call = call;
    failure = result;
    failed.clear();
}

void end_faults() {
    failing_call = 0;
}

std::string failed_call() {
    return failed;
}

PFN_vkVoidFunction VKAPI_CALL faulty_get_instance_proc_addr(VkInstance instance, const char* name) {
    return gate(name, detail::open_loader()(instance, name));
}

}  // namespace vknorm::testing
