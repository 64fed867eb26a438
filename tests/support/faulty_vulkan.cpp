#include "support/faulty_vulkan.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "support/failing_memory.hpp"
#include "vulkan/functions.hpp"

namespace vknorm::testing {

namespace {

using detail::Functions;

// A later call of a name than this is taken for this one: loops are long.
constexpr int most_calls_of_a_name = 3;

int calls = 0, failing_call = 0;
bool sweeping = false;
std::vector<VkResult> swept_results;
std::string failed;
VkResult failure = VK_SUCCESS;
std::map<std::string, int, std::less<>> calls_of_attempt;
// How often a call has failed in the sweep, by its name, its number and what there is when it is made.
std::map<std::tuple<std::string, int, std::map<std::string, int>>, size_t> failures;
std::map<std::string, int> live;  // objects by kind
Functions real;

/// "Buffer" for vkCreateBuffer and vkDestroyBuffer; empty for a call that does neither.
std::string kind_of(std::string_view name, std::string_view verb, std::string_view memory) {
    if (name == memory) return "Memory";
    if (!name.starts_with(verb)) return "";
    name.remove_prefix(verb.size());
    return std::string(name == "ComputePipelines" ? "Pipeline" : name);
}

bool fails(const char* name, bool creates) {
    const UncountedMemory uncounted;
    if (!failed.empty()) return false;
    // Names are for people: nobody minds when there is none.
    if (std::string_view(name) == "vkSetDebugUtilsObjectNameEXT") return false;
    if (sweeping) {
        const int number = creates ? 0 : std::min(++calls_of_attempt[name], most_calls_of_a_name);
        size_t& times = failures[{name, number, creates ? live : std::map<std::string, int>()}];
        if (times == swept_results.size()) return false;
        failure = swept_results[times++];
    } else if (++calls != failing_call) {
        return false;
    }
    failed = name;
    return true;
}

/// Stands before one entry of the table. Functions that cannot fail never do.
template <auto entry, class Function = std::decay_t<decltype(std::declval<Functions>().*entry)>>
struct Gate;

template <auto entry, class Result, class... Arguments>
struct Gate<entry, Result(VKAPI_PTR*)(Arguments...)> {
    static inline const char* name_ = nullptr;
    static inline std::string created_, destroyed_;

    static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
        if constexpr (std::is_same_v<Result, VkResult>) {
            if (fails(name_, !created_.empty())) return failure;
            const UncountedMemory uncounted;
            const VkResult result = (real.*entry)(arguments...);
            if (result == VK_SUCCESS && !created_.empty()) ++live[created_];
            return result;
        } else {
            const UncountedMemory uncounted;
            if (!destroyed_.empty()) --live[destroyed_];
            return (real.*entry)(arguments...);
        }
    }
    static PFN_vkVoidFunction pass(PFN_vkVoidFunction function, const char* name) {
        if (!function) return nullptr;
        name_ = name;
        created_ = kind_of(name, "vkCreate", "vkAllocateMemory");
        destroyed_ = kind_of(name, "vkDestroy", "vkFreeMemory");
        real.*entry = reinterpret_cast<std::decay_t<decltype(real.*entry)>>(function);
        return reinterpret_cast<PFN_vkVoidFunction>(call);
    }
};

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL get_device_proc_addr(VkDevice device, const char* name);

PFN_vkVoidFunction gate(const char* name, PFN_vkVoidFunction function) {
    const UncountedMemory uncounted;
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
    VKNORM_OPTIONAL_DEVICE_FUNCTIONS(VKNORM_GATE)
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

void begin_sweep(std::vector<VkResult> results) {
    swept_results = std::move(results);
    failures.clear();
}

void begin_attempt() {
    sweeping = true;
    calls_of_attempt.clear();
    failed.clear();
}

void end_faults() {
    sweeping = false;
    failing_call = 0;
}

std::string failed_call() {
    return failed;
}

VkResult failed_result() {
    return failed.empty() ? VK_SUCCESS : failure;
}

std::string live_objects() {
    std::string text;
    for (const auto& [kind, count] : live)
        if (count != 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
    return text;
}

PFN_vkVoidFunction VKAPI_CALL faulty_get_instance_proc_addr(VkInstance instance, const char* name) {
    return gate(name, detail::open_loader()(instance, name));
}

}  // namespace vknorm::testing
