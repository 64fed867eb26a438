#include "support/raw_vulkan.hpp"

#include <algorithm>
#include <cstring>

#include "support/device_fixture.hpp"
#include "vulkan/select.hpp"

namespace vknorm::testing {

namespace {

void check(VkResult result) {
    detail::check_result(result, "RawVulkan");
}

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* message, void*) {
    report_validation_message(message->pMessage);
    return VK_FALSE;
}

}  // namespace

RawVulkan::RawVulkan(bool features) {
    vk.load_global(detail::open_loader());
    create_instance();
    const auto candidates = detail::enumerate(vk, instance);
    const detail::Candidate& chosen = candidates[detail::choose(detail::infos_of(candidates), mode().device)];
    physical_device = chosen.physical_device;
    queue_family = chosen.queue_family;
    create_device(features);
    create_copy_pipeline();
}

void RawVulkan::create_instance() {
    VkDebugUtilsMessengerCreateInfoEXT messenger = {VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = on_message;
    const VkValidationFeatureEnableEXT enabled = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    VkValidationFeaturesEXT validation = {VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT, &messenger};
    validation.enabledValidationFeatureCount = 1;
    validation.pEnabledValidationFeatures = &enabled;
    VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.apiVersion = VK_API_VERSION_1_1;
    const char* const layers[] = {"VK_LAYER_KHRONOS_validation"};
    const char* const extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
                                      VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
    VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, &validation};
    info.pApplicationInfo = &application;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = layers;
    info.enabledExtensionCount = 2;
    info.ppEnabledExtensionNames = extensions;
    check(vk.CreateInstance(&info, nullptr, &instance));
    vk.load_instance(instance);
    check(vk.CreateDebugUtilsMessengerEXT(instance, &messenger, nullptr, &messenger_));
}

void RawVulkan::create_device(bool features) {
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, nullptr, VK_TRUE};
    const float priority = 1;
    VkDeviceQueueCreateInfo queue_info = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue_info.queueFamilyIndex = queue_family;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    const detail::Extensions available = detail::device_extensions(vk, physical_device);
    if (features && detail::has_name(available, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) {
        timeline_ = true;
        info.pNext = &timeline;
        extensions_.push_back(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    }
    if (features && detail::has_name(available, VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME))
        extensions_.push_back(VK_KHR_PUSH_DESCRIPTOR_EXTENSION_NAME);
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue_info;
    info.enabledExtensionCount = static_cast<uint32_t>(extensions_.size());
    info.ppEnabledExtensionNames = extensions_.data();
    check(vk.CreateDevice(physical_device, &info, nullptr, &device));
    vk.load_device(device);
    vk.GetDeviceQueue(device, queue_family, 0, &queue);
    extensions_.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);  // of the instance, for AdoptedDevice

    VkCommandPoolCreateInfo pool = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    pool.queueFamilyIndex = queue_family;
    check(vk.CreateCommandPool(device, &pool, nullptr, &commands_));
}

// The engine's copy shader with its bindings moved from set 0 to set 1.
void RawVulkan::create_copy_pipeline() {
    constexpr uint32_t header_words = 5, op_decorate = 71, decoration_descriptor_set = 34;
    std::vector<uint32_t> words(shaders::copy.words.begin(), shaders::copy.words.end());
    for (size_t at = header_words; at < words.size(); at += words[at] >> 16)
        if ((words[at] & 0xffff) == op_decorate && words[at + 2] == decoration_descriptor_set)
            words[at + 3] = 1;

    VkDescriptorSetLayoutCreateInfo empty = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    check(vk.CreateDescriptorSetLayout(device, &empty, nullptr, &empty_set_layout_));
    const VkDescriptorSetLayoutBinding bindings[] = {
        {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr},
        {1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr}};
    VkDescriptorSetLayoutCreateInfo two_buffers = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    two_buffers.bindingCount = 2;
    two_buffers.pBindings = bindings;
    check(vk.CreateDescriptorSetLayout(device, &two_buffers, nullptr, &set_layout_));

    const VkDescriptorSetLayout layouts[] = {empty_set_layout_, set_layout_};
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(uint32_t)};
    VkPipelineLayoutCreateInfo layout = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    layout.setLayoutCount = 2;
    layout.pSetLayouts = layouts;
    layout.pushConstantRangeCount = 1;
    layout.pPushConstantRanges = &push;
    check(vk.CreatePipelineLayout(device, &layout, nullptr, &layout_));

    VkShaderModuleCreateInfo module_info = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    module_info.codeSize = words.size() * sizeof(uint32_t);
    module_info.pCode = words.data();
    VkShaderModule module = VK_NULL_HANDLE;
    check(vk.CreateShaderModule(device, &module_info, nullptr, &module));
    VkComputePipelineCreateInfo info = {VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = "main";
    info.layout = layout_;
    check(vk.CreateComputePipelines(device, VK_NULL_HANDLE, 1, &info, nullptr, &pipeline_));
    vk.DestroyShaderModule(device, module, nullptr);

    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 64};
    VkDescriptorPoolCreateInfo pool = {VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
    pool.maxSets = 32;
    pool.poolSizeCount = 1;
    pool.pPoolSizes = &size;
    check(vk.CreateDescriptorPool(device, &pool, nullptr, &sets_));
}

RawVulkan::~RawVulkan() {
    for (const RawBuffer& buffer : buffers_) {
        vk.DestroyBuffer(device, buffer.buffer, nullptr);
        vk.FreeMemory(device, buffer.memory, nullptr);
    }
    vk.DestroyPipeline(device, pipeline_, nullptr);
    vk.DestroyPipelineLayout(device, layout_, nullptr);
    vk.DestroyDescriptorSetLayout(device, set_layout_, nullptr);
    vk.DestroyDescriptorSetLayout(device, empty_set_layout_, nullptr);
    vk.DestroyDescriptorPool(device, sets_, nullptr);
    vk.DestroyCommandPool(device, commands_, nullptr);
    vk.DestroyDevice(device, nullptr);
    vk.DestroyDebugUtilsMessengerEXT(instance, messenger_, nullptr);
    vk.DestroyInstance(instance, nullptr);
}

AdoptedDevice RawVulkan::adopted() {
    AdoptedDevice adopted;
    adopted.instance = instance;
    adopted.physical_device = physical_device;
    adopted.device = device;
    adopted.queue_family = queue_family;
    adopted.queue = queue;
    adopted.extensions = extensions_;
    adopted.timeline_semaphore_enabled = timeline_;
    adopted.queue_mutex = &queue_mutex;
    adopted.clamp = [](Capabilities& capabilities) { mode().clamp(capabilities); };
    return adopted;
}

RawVulkan::RawBuffer& RawVulkan::create_buffer(const std::vector<float>& values) {
    RawBuffer result = {};
    result.bytes = values.size() * sizeof(float);
    VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
    info.size = result.bytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT;
    check(vk.CreateBuffer(device, &info, nullptr, &result.buffer));
    VkMemoryRequirements needed;
    vk.GetBufferMemoryRequirements(device, result.buffer, &needed);

    VkPhysicalDeviceMemoryProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    vk.GetPhysicalDeviceMemoryProperties2(physical_device, &properties);
    constexpr VkMemoryPropertyFlags host =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    uint32_t type = 0;
    while (!(needed.memoryTypeBits & (1u << type)) ||
           (properties.memoryProperties.memoryTypes[type].propertyFlags & host) != host)
        ++type;
    const VkMemoryAllocateInfo allocation = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, nullptr, needed.size,
                                             type};
    check(vk.AllocateMemory(device, &allocation, nullptr, &result.memory));
    check(vk.BindBufferMemory(device, result.buffer, result.memory, 0));
    void* mapped = nullptr;
    check(vk.MapMemory(device, result.memory, 0, VK_WHOLE_SIZE, 0, &mapped));
    result.values = static_cast<float*>(mapped);
    std::copy(values.begin(), values.end(), result.values);
    return buffers_.emplace_back(result);
}

VkCommandBuffer RawVulkan::begin() {
    VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = commands_;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    check(vk.AllocateCommandBuffers(device, &info, &commands));
    VkCommandBufferBeginInfo begin_info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    check(vk.BeginCommandBuffer(commands, &begin_info));
    return commands;
}

void RawVulkan::submit_and_wait(VkCommandBuffer commands) {
    check(vk.EndCommandBuffer(commands));
    VkFenceCreateInfo fence_info = {VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    check(vk.CreateFence(device, &fence_info, nullptr, &fence));
    VkSubmitInfo info = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    {
        const std::lock_guard lock(queue_mutex);
        check(vk.QueueSubmit(queue, 1, &info, fence));
    }
    check(vk.WaitForFences(device, 1, &fence, VK_TRUE, ~uint64_t(0)));
    vk.DestroyFence(device, fence, nullptr);
}

void RawVulkan::barrier(VkCommandBuffer commands) {
    VkMemoryBarrier all = {VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    all.srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT;
    all.dstAccessMask = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    vk.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                          VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &all, 0,
                          nullptr, 0, nullptr);
}

void RawVulkan::copy_through_set_1(VkCommandBuffer commands, const RawBuffer& source,
                                   const RawBuffer& target) {
    VkDescriptorSetAllocateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    info.descriptorPool = sets_;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &set_layout_;
    VkDescriptorSet set = VK_NULL_HANDLE;
    check(vk.AllocateDescriptorSets(device, &info, &set));
    const VkDescriptorBufferInfo buffers[] = {{source.buffer, 0, source.bytes},
                                              {target.buffer, 0, target.bytes}};
    VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    write.dstSet = set;
    write.descriptorCount = 2;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = buffers;
    vk.UpdateDescriptorSets(device, 1, &write, 0, nullptr);

    const auto vectors = static_cast<uint32_t>(source.bytes / 16);
    vk.CmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline_);
    vk.CmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout_, 1, 1, &set, 0, nullptr);
    vk.CmdPushConstants(commands, layout_, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof vectors, &vectors);
    vk.CmdDispatch(commands, vectors, 1, 1);
}

}  // namespace vknorm::testing
