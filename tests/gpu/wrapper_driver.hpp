// A Vulkan driver that wraps another one, for tests: it makes the compilers of GPUs usable where there is
// none, keeps what they say of every compute pipeline, and can pretend smaller limits. The loader takes it
// from a manifest, so that any program runs on it unchanged; one that is linked with it asks it what was
// compiled.
//
// Environment:
//   VKNORM_WRAPPED          the wrapped driver's library, libvulkan_radeon.so for one
//   VKNORM_WRAPPED_COMPILES what has no hardware behind it compiles and does nothing else: memory is made up
//   where the
//                           driver finds none, commands are not recorded, submissions have ended when they
//                           begin
//   VKNORM_PROFILE          limits to lower, as "maxPerStageDescriptorStorageBuffers=8 subgroupOperations=1"
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>
#include <vulkan/vulkan.h>

namespace vknorm::wrapper {

/// What the driver made of a compute pipeline.
struct CompiledPipeline {
    std::string name;  ///< by vkSetDebugUtilsObjectNameEXT
    VkResult result = VK_SUCCESS;
    std::map<std::string, double>
        statistics;    ///< by the driver's names, VK_KHR_pipeline_executable_properties
    std::string code;  ///< the text of what the device would run
};

/// Whether the code is kept, too, from here on: to write it down takes some compilers as long as to make it.
void keep_code(bool keep);

/// All since the last call, in the order in which they were created.
std::vector<CompiledPipeline> take_compiled();

// ---- What follows is the wrapper's own.

struct Replacement {
    std::string_view name;
    PFN_vkVoidFunction function;
};

template <class Function>
Replacement replacement(std::string_view name, Function function) {
    return {name, reinterpret_cast<PFN_vkVoidFunction>(function)};
}

/// The functions in which this driver differs from the wrapped one.
std::span<const Replacement> compilation();   ///< compiled_pipelines.cpp
std::span<const Replacement> lower_limits();  ///< lower_limits.cpp
std::span<const Replacement> no_hardware();   ///< no_hardware.cpp, which has commands that do nothing besides

PFN_vkVoidFunction nothing();

/// The wrapped driver's function of that name, or null.
PFN_vkVoidFunction wrapped(const char* name);
#define WRAPPED(NAME) reinterpret_cast<PFN_##NAME>(vknorm::wrapper::wrapped(#NAME))

bool only_compiles();

}  // namespace vknorm::wrapper
