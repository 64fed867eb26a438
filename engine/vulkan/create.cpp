// A device of our own: instance, validation, physical device, logical device.
#include <algorithm>
#include <vector>

#include "vulkan/device_state.hpp"
#include "vulkan/exit.hpp"
#include "vulkan/pipelines.hpp"
#include "vulkan/select.hpp"

namespace vknorm {

namespace detail {

namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* message, void* user) {
    const auto* state = static_cast<const DeviceState*>(user);
    if (state->on_validation_message) state->on_validation_message(message->pMessage);
    return VK_FALSE;
}

void require_validation_layer(const Functions& vk) {
    uint32_t count = 0;
    check_result(vk.EnumerateInstanceLayerProperties(&count, nullptr), "vkEnumerateInstanceLayerProperties");
    std::vector<VkLayerProperties> layers(count);
    check_result(vk.EnumerateInstanceLayerProperties(&count, layers.data()),
                 "vkEnumerateInstanceLayerProperties");
    const bool found = std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
        return std::string_view(layer.layerName) == validation_layer;
    });
    if (!found ||
        !has_name(instance_extensions(vk, validation_layer), VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME))
        throw Unsupported(std::string("validation: ") + validation_layer +
                          " is not installed (on Debian and Ubuntu: `apt install vulkan-validationlayers`)");
}

void create_instance(DeviceState& state, const DeviceOptions& options) {
    Functions& vk = state.vk;
    const auto available = instance_extensions(vk, nullptr);
    std::vector<const char*> extensions, layers;
    VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};

    const bool portability = has_name(available, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    if (portability) {
        extensions.push_back(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
        info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    }
    state.debug_utils = options.validation || has_name(available, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    if (state.debug_utils) extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);

    VkDebugUtilsMessengerCreateInfoEXT messenger = {VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = on_message;
    messenger.pUserData = &state;

    constexpr VkValidationFeatureEnableEXT synchronization[] = {
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    constexpr VkValidationFeatureEnableEXT gpu_assisted[] = {
        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT,
        VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_RESERVE_BINDING_SLOT_EXT};
    VkValidationFeaturesEXT features = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, &messenger};
    if (options.validation) {
        require_validation_layer(vk);
        layers.push_back(validation_layer);
        extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
        features.pEnabledValidationFeatures = options.gpu_assisted ? gpu_assisted : synchronization;
        features.enabledValidationFeatureCount = options.gpu_assisted ? 2 : 1;
        info.pNext = &features;
        state.on_validation_message = options.on_validation_message;
    }

    VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.pEngineName = "vknorm";
    application.apiVersion = VK_API_VERSION_1_1;
    info.pApplicationInfo = &application;
    info.enabledLayerCount = static_cast<uint32_t>(layers.size());
    info.ppEnabledLayerNames = layers.data();
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    const VkResult result = vk.CreateInstance(&info, nullptr, &state.instance);
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER) choose({}, {});  // throws: there is no driver at all
    check_result(result, "vkCreateInstance");
    vk.load_instance(state.instance);
    if (options.validation)
        check_result(vk.CreateDebugUtilsMessengerEXT(state.instance, &messenger, nullptr, &state.messenger),
                     "vkCreateDebugUtilsMessengerEXT");
}

void create_logical_device(DeviceState& state, const Extensions& available, const DeviceOptions& options) {
    std::vector<const char*> extensions;
    const auto enable = [&](const char* name) {
        if (!has_name(available, name)) return false;
        extensions.push_back(name);
        return true;
    };
    enable("VK_KHR_portability_subset");  // must be enabled where it exists
    state.capabilities.push_descriptors =
        !options.gpu_assisted && enable(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);

    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
    VkPhysicalDevice16BitStorageFeatures storage = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
    VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &storage};
    const bool may_have_timeline = has_name(available, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    if (may_have_timeline) storage.pNext = &timeline;
    state.vk.GetPhysicalDeviceFeatures2(state.physical_device, &features);
    features.features = {.shaderInt64 = features.features.shaderInt64};
    state.capabilities.shader_int64 = features.features.shaderInt64 == VK_TRUE;
    storage = {storage.sType, storage.pNext, storage.storageBuffer16BitAccess};
    state.capabilities.storage_16_bit = storage.storageBuffer16BitAccess == VK_TRUE;
    if (timeline.timelineSemaphore == VK_TRUE)
        state.capabilities.timeline_semaphores = enable(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    else
        storage.pNext = nullptr;

    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = state.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &features};
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    check_result(state.vk.CreateDevice(state.physical_device, &info, nullptr, &state.device),
                 "vkCreateDevice");
    state.vk.load_device(state.device);
    state.vk.GetDeviceQueue(state.device, state.queue_family, 0, &state.queue);
}

}  // namespace

std::shared_ptr<DeviceState> create_device(const DeviceOptions& options,
                                           PFN_vkGetInstanceProcAddr get_instance_proc_addr) {
    std::shared_ptr<DeviceState> state = DeviceState::make();
    state->owned = true;
    state->farewell = options.farewell;
    state->vk.load_global(get_instance_proc_addr);
    create_instance(*state, options);

    const auto candidates = enumerate(state->vk, state->instance);
    const Candidate& chosen = candidates[choose(infos_of(candidates), options.select)];
    state->physical_device = chosen.physical_device;
    state->queue_family = chosen.queue_family;
    state->info = chosen.info;
    create_logical_device(*state, chosen.extensions, options);
    state->finish(chosen.extensions, options.clamp);
    if (!options.pipeline_cache_file.empty()) state->pipelines->keep_cache_in(options.pipeline_cache_file);
    let_go_at_exit(state);
    return state;
}

}  // namespace detail

std::vector<DeviceInfo> enumerate_devices() {
    detail::DeviceState state;
    state.owned = true;
    state.vk.load_global(detail::open_loader());
    detail::create_instance(state, {});
    return detail::infos_of(detail::enumerate(state.vk, state.instance));
}

}  // namespace vknorm
