#include "app/gpu/gpu.hpp"

#include <algorithm>
#include <string>

namespace lab {

namespace {

VkBool32 VKAPI_PTR on_message(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                              const VkDebugUtilsMessengerCallbackDataEXT* data, void* user) {
    const auto& callback = *static_cast<std::function<void(std::string_view)>*>(user);
    if (callback) callback(data->pMessage);
    return VK_FALSE;
}

template <class Function>
Function instance_function(VkInstance instance, const char* name) {
    return reinterpret_cast<Function>(vkGetInstanceProcAddr(instance, name));
}

bool has_extension(VkPhysicalDevice device, std::string_view name) {
    uint32_t count = 0;
    check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr),
          "vkEnumerateDeviceExtensionProperties");
    std::vector<VkExtensionProperties> extensions(count);
    check(vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data()),
          "vkEnumerateDeviceExtensionProperties");
    return std::any_of(extensions.begin(), extensions.end(),
                       [&](const VkExtensionProperties& e) { return e.extensionName == name; });
}

}  // namespace

void check(VkResult result, const char* call) {
    if (result < 0)
        throw vknorm::Error(result, std::string(call) + " failed with VkResult " + std::to_string(result));
}

Gpu::Gpu(const vknorm::DeviceInfo& device, const GpuOptions& options)
    : info_(device), on_validation_message_(options.on_validation_message) {
    try {
        create_instance(options);
        pick_physical_device();
        create_device(!options.window_extensions.empty());
    } catch (...) {
        destroy();
        throw;
    }
}

Gpu::~Gpu() {
    destroy();
}

void Gpu::destroy() {
    if (device_) {
        vkDeviceWaitIdle(device_);
        vkDestroyDevice(device_, nullptr);
    }
    if (messenger_)
        instance_function<PFN_vkDestroyDebugUtilsMessengerEXT>(instance_, "vkDestroyDebugUtilsMessengerEXT")(
            instance_, messenger_, nullptr);
    if (instance_) vkDestroyInstance(instance_, nullptr);
}

void Gpu::create_instance(const GpuOptions& options) {
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .pApplicationName = "vknorm Lab",
                                        .apiVersion = VK_API_VERSION_1_1};
    std::vector<const char*> extensions = options.window_extensions;
    const char* const layer = "VK_LAYER_KHRONOS_validation";
    const VkValidationFeatureEnableEXT synchronization =
        VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    const VkValidationFeaturesEXT features{.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT,
                                           .enabledValidationFeatureCount = 1,
                                           .pEnabledValidationFeatures = &synchronization};
    const VkDebugUtilsMessengerCreateInfoEXT messages{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
        .messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
        .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
        .pfnUserCallback = on_message,
        .pUserData = &on_validation_message_};
    if (options.validation) extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                    .pNext = options.validation ? &features : nullptr,
                                    .pApplicationInfo = &application,
                                    .enabledLayerCount = options.validation ? 1u : 0u,
                                    .ppEnabledLayerNames = &layer,
                                    .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
                                    .ppEnabledExtensionNames = extensions.data()};
    check(vkCreateInstance(&info, nullptr, &instance_), "vkCreateInstance");
    if (options.validation)
        check(instance_function<PFN_vkCreateDebugUtilsMessengerEXT>(
                  instance_, "vkCreateDebugUtilsMessengerEXT")(instance_, &messages, nullptr, &messenger_),
              "vkCreateDebugUtilsMessengerEXT");
}

void Gpu::pick_physical_device() {
    uint32_t count = 0;
    check(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
    std::vector<VkPhysicalDevice> devices(count);
    check(vkEnumeratePhysicalDevices(instance_, &count, devices.data()), "vkEnumeratePhysicalDevices");
    for (VkPhysicalDevice device : devices) {
        VkPhysicalDeviceIDProperties id{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
        VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                               .pNext = &id};
        vkGetPhysicalDeviceProperties2(device, &properties);
        if (std::equal(info_.uuid.begin(), info_.uuid.end(), id.deviceUUID) &&
            info_.name == properties.properties.deviceName)
            physical_device_ = device;
    }
    if (!physical_device_)
        throw vknorm::Error(VK_ERROR_INITIALIZATION_FAILED,
                            info_.name + " has disappeared since it was chosen");

    vkGetPhysicalDeviceQueueFamilyProperties(physical_device_, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(physical_device_, &count, families.data());
    const auto family = std::find_if(families.begin(), families.end(), [](const VkQueueFamilyProperties& f) {
        return (f.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0;
    });
    if (family == families.end())
        throw vknorm::Unsupported(info_.name + " has no queue for graphics, which the Lab's pictures need");
    queue_family_ = static_cast<uint32_t>(family - families.begin());
}

void Gpu::create_device(bool presents) {
    const char* const swapchain = VK_KHR_SWAPCHAIN_EXTENSION_NAME;
    if (presents && !has_extension(physical_device_, swapchain))
        throw vknorm::Unsupported(info_.name + " cannot present to a window (VK_KHR_swapchain)");
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                        .queueFamilyIndex = queue_family_,
                                        .queueCount = 1,
                                        .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue,
                                  .enabledExtensionCount = presents ? 1u : 0u,
                                  .ppEnabledExtensionNames = &swapchain};
    check(vkCreateDevice(physical_device_, &info, nullptr, &device_), "vkCreateDevice");
    vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
}

void Gpu::submit(const VkSubmitInfo& submission, VkFence fence) {
    check(vkQueueSubmit(queue_, 1, &submission, fence), "vkQueueSubmit");
}

VkResult Gpu::present(const VkPresentInfoKHR& presentation) {
    return vkQueuePresentKHR(queue_, &presentation);
}

void Gpu::wait(VkFence fence) {
    check(vkWaitForFences(device_, 1, &fence, VK_TRUE, UINT64_MAX), "vkWaitForFences");
    check(vkResetFences(device_, 1, &fence), "vkResetFences");
}

void Gpu::wait_idle() {
    vkDeviceWaitIdle(device_);
}

VkDeviceMemory Gpu::allocate(const VkMemoryRequirements& requirements, VkMemoryPropertyFlags wanted) {
    VkPhysicalDeviceMemoryProperties properties;
    vkGetPhysicalDeviceMemoryProperties(physical_device_, &properties);
    for (uint32_t type = 0; type < properties.memoryTypeCount; ++type) {
        const bool allowed = requirements.memoryTypeBits & (1u << type);
        if (!allowed || (properties.memoryTypes[type].propertyFlags & wanted) != wanted) continue;
        const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .allocationSize = requirements.size,
                                        .memoryTypeIndex = type};
        VkDeviceMemory memory;
        check(vkAllocateMemory(device_, &info, nullptr, &memory), "vkAllocateMemory");
        return memory;
    }
    throw vknorm::Error(VK_ERROR_OUT_OF_DEVICE_MEMORY,
                        info_.name + " has no memory of the kind that pictures need");
}

}  // namespace lab
