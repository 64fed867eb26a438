// What the driver tells of the pipelines it compiles.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <iterator>
#include <mutex>
#include <utility>

#include "gpu/wrapper_driver.hpp"

namespace vknorm::wrapper {

namespace {

std::mutex mutex;
std::vector<CompiledPipeline> compiled;
std::map<VkPipeline, size_t> unnamed;  // by pipeline: its number among those
bool tells = false;                    // the driver has VK_KHR_pipeline_executable_properties
std::atomic<bool> keeps_code = true;

// Calls `get(&count, elements)` as Vulkan's functions want it that fill arrays.
template <class Element, class Get>
std::vector<Element> all(const Element& empty, Get get) {
    uint32_t count = 0;
    get(&count, static_cast<Element*>(nullptr));
    std::vector<Element> elements(count, empty);
    get(&count, elements.data());
    return elements;
}

std::vector<VkExtensionProperties> extensions_of(VkPhysicalDevice device, const char* layer) {
    const auto get = WRAPPED(vkEnumerateDeviceExtensionProperties);
    return all(VkExtensionProperties{}, [&](uint32_t* count, VkExtensionProperties* extensions) {
        get(device, layer, count, extensions);
    });
}

// Whose functions do not work where there is no hardware.
bool hidden(const VkExtensionProperties& extension) {
    constexpr std::string_view names[] = {VK_EXT_MEMORY_BUDGET_EXTENSION_NAME,
                                          VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME};
    return only_compiles() &&
           std::ranges::find(names, std::string_view(extension.extensionName)) != std::end(names);
}

VKAPI_ATTR VkResult VKAPI_CALL enumerate_extensions(VkPhysicalDevice device, const char* layer,
                                                    uint32_t* count, VkExtensionProperties* extensions) {
    std::vector<VkExtensionProperties> have = extensions_of(device, layer);
    std::erase_if(have, hidden);
    const auto found = static_cast<uint32_t>(have.size());
    if (!extensions) {
        *count = found;
        return VK_SUCCESS;
    }
    *count = std::min(*count, found);
    std::copy_n(have.begin(), *count, extensions);
    return *count < found ? VK_INCOMPLETE : VK_SUCCESS;
}

VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice physical_device,
                                             const VkDeviceCreateInfo* wanted,
                                             const VkAllocationCallbacks* callbacks, VkDevice* device) {
    constexpr std::string_view executables = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
    for (const VkExtensionProperties& extension : extensions_of(physical_device, nullptr))
        tells = tells || extension.extensionName == executables;
    VkDeviceCreateInfo info = *wanted;
    std::vector<const char*> extensions(wanted->ppEnabledExtensionNames,
                                        wanted->ppEnabledExtensionNames + wanted->enabledExtensionCount);
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR};
    if (tells) {
        extensions.push_back(executables.data());
        feature.pipelineExecutableInfo = VK_TRUE;
        feature.pNext = const_cast<void*>(info.pNext);
        info.pNext = &feature;
    }
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    return WRAPPED(vkCreateDevice)(physical_device, &info, callbacks, device);
}

double value_of(const VkPipelineExecutableStatisticKHR& statistic) {
    switch (statistic.format) {
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR:
            return statistic.value.b32;
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR:
            return static_cast<double>(statistic.value.i64);
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR:
            return static_cast<double>(statistic.value.u64);
        default:
            return statistic.value.f64;
    }
}

// The last of an executable's texts: compilers give what they start from first.
std::string code_of(VkDevice device, const VkPipelineExecutableInfoKHR& executable) {
    const auto get = WRAPPED(vkGetPipelineExecutableInternalRepresentationsKHR);
    using Text = VkPipelineExecutableInternalRepresentationKHR;
    std::vector<Text> texts =
        all(Text{VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR},
            [&](uint32_t* count, Text* some) { get(device, &executable, count, some); });
    if (texts.empty()) return {};
    std::vector<std::vector<char>> storage;
    for (Text& text : texts) text.pData = storage.emplace_back(text.dataSize).data();
    auto count = static_cast<uint32_t>(texts.size());
    get(device, &executable, &count, texts.data());
    return {storage.back().data(), strnlen(storage.back().data(), storage.back().size())};
}

// Of the last executable: Intel's compiler makes one for each width of subgroups that is worth it, the widest
// last.
CompiledPipeline described(VkDevice device, VkPipeline pipeline) {
    CompiledPipeline result;
    using Executable = VkPipelineExecutablePropertiesKHR;
    const VkPipelineInfoKHR of = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, nullptr, pipeline};
    const auto executables = all(Executable{VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR},
                                 [&](uint32_t* count, Executable* some) {
                                     WRAPPED(vkGetPipelineExecutablePropertiesKHR)(device, &of, count, some);
                                 });
    if (executables.empty()) return result;
    result.statistics["Subgroup size"] = executables.back().subgroupSize;
    VkPipelineExecutableInfoKHR executable = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR};
    executable.pipeline = pipeline;
    executable.executableIndex = static_cast<uint32_t>(executables.size() - 1);
    using Statistic = VkPipelineExecutableStatisticKHR;
    for (const Statistic& statistic : all(Statistic{VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR},
                                          [&](uint32_t*count, Statistic*some) {
                                              WRAPPED(vkGetPipelineExecutableStatisticsKHR)
                                              (device, &executable, count, some);
                                          }))
        result.statistics[statistic.name] = value_of(statistic);
    if (keeps_code) result.code = code_of(device, executable);
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                const VkComputePipelineCreateInfo* wanted,
                                                const VkAllocationCallbacks* callbacks,
                                                VkPipeline* pipelines) {
    std::vector<VkComputePipelineCreateInfo> infos(wanted, wanted + count);
    if (tells)
        for (VkComputePipelineCreateInfo& info : infos)
            info.flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
                          (keeps_code ? VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR : 0);
    const VkResult result =
        WRAPPED(vkCreateComputePipelines)(device, cache, count, infos.data(), callbacks, pipelines);
    const std::lock_guard lock(mutex);
    for (uint32_t i = 0; i < count; ++i) {
        if (result == VK_SUCCESS) unnamed[pipelines[i]] = compiled.size();
        compiled.push_back(tells && result == VK_SUCCESS ? described(device, pipelines[i])
                                                         : CompiledPipeline{});
        compiled.back().result = result;
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL name_object(VkDevice, const VkDebugUtilsObjectNameInfoEXT* name) {
    const std::lock_guard lock(mutex);
    const auto found = unnamed.find(reinterpret_cast<VkPipeline>(name->objectHandle));
    if (name->objectType != VK_OBJECT_TYPE_PIPELINE || found == unnamed.end()) return VK_SUCCESS;
    compiled.at(found->second).name = name->pObjectName;
    unnamed.erase(found);
    return VK_SUCCESS;
}

}  // namespace

void keep_code(bool keep) {
    keeps_code = keep;
}

std::vector<CompiledPipeline> take_compiled() {
    const std::lock_guard lock(mutex);
    unnamed.clear();
    return std::exchange(compiled, {});
}

std::span<const Replacement> compilation() {
    static const Replacement functions[] = {
        replacement("vkEnumerateDeviceExtensionProperties", enumerate_extensions),
        replacement("vkCreateDevice", create_device),
        replacement("vkCreateComputePipelines", create_pipelines),
        replacement("vkSetDebugUtilsObjectNameEXT", name_object),
    };
    return functions;
}

}  // namespace vknorm::wrapper
