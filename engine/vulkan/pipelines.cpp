#include "vulkan/pipelines.hpp"

#include <string>

#include "vulkan/capabilities.hpp"
#include "vulkan/specialize.hpp"

namespace vknorm::detail {

namespace {

Bindings checked_bindings(const DeviceState& device, const char* name, std::span<const uint32_t> words) {
    const Bindings bindings = bindings_of(words);
    const auto storage = static_cast<uint32_t>(std::popcount(bindings.storage));
    const uint32_t most = device.limits.maxPerStageDescriptorStorageBuffers;
    if (storage > most)
        throw Unsupported(std::string(name) + ": with these arguments it binds " + std::to_string(storage) +
                          " storage buffers, the device has " + std::to_string(most));
    return bindings;
}

}  // namespace

VkDescriptorType descriptor_type(const Bindings& bindings, uint32_t binding) {
    return bindings.is_texels(binding) ? VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                                       : VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
}

const Pipeline& Pipelines::get(const shaders::Shader& shader, std::span<const uint32_t> constants,
                               uint32_t push_bytes) {
    Slot& slot = this->slot({shader.words.data(), {constants.begin(), constants.end()}, push_bytes});
    const std::lock_guard lock(slot.compiling);
    if (!slot.pipeline) {
        const std::vector<uint32_t> words = specialized(shader.words, constants);
        const PipelineLayout& shape = layout(checked_bindings(device_, shader.name, words), push_bytes);
        slot.pipeline = Pipeline{create(shader.name, words, shape), &shape};
    }
    return *slot.pipeline;
}

Pipelines::Slot& Pipelines::slot(const Key& key) {
    const std::lock_guard lock(mutex_);
    return slots_[key];
}

const PipelineLayout& Pipelines::layout(const Bindings& bindings, uint32_t push_bytes) {
    const std::lock_guard lock(mutex_);
    const auto key = std::pair(bindings, push_bytes);
    const auto found = layouts_.find(key);
    if (found != layouts_.end()) return found->second;

    std::vector<VkDescriptorSetLayoutBinding> set_bindings;
    for (uint32_t i = 0; i < bindings.end(); ++i) {
        if (!bindings.has(i)) continue;
        set_bindings.push_back({.binding = i,
                                .descriptorType = descriptor_type(bindings, i),
                                .descriptorCount = 1,
                                .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT});
    }
    VkDescriptorSetLayoutCreateInfo set_info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    if (device_.capabilities.push_descriptors)
        set_info.flags = VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT_KHR;
    set_info.bindingCount = bindings.count();
    set_info.pBindings = set_bindings.data();
    VkDescriptorSetLayout set = VK_NULL_HANDLE;
    device_.check(device_.vk.CreateDescriptorSetLayout(device_.device, &set_info, nullptr, &set),
                  "vkCreateDescriptorSetLayout");
    OwnedDescriptorSetLayout owned_set(device_, set);

    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, push_bytes};
    VkPipelineLayoutCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    info.setLayoutCount = 1;
    info.pSetLayouts = &set;
    info.pushConstantRangeCount = push_bytes > 0 ? 1 : 0;
    info.pPushConstantRanges = &push;
    VkPipelineLayout pipeline_layout = VK_NULL_HANDLE;
    device_.check(device_.vk.CreatePipelineLayout(device_.device, &info, nullptr, &pipeline_layout),
                  "vkCreatePipelineLayout");
    OwnedPipelineLayout owned_layout(device_, pipeline_layout);
    return layouts_.emplace(key, PipelineLayout{std::move(owned_set), std::move(owned_layout), bindings})
        .first->second;
}

OwnedPipeline Pipelines::create(const char* name, std::span<const uint32_t> words,
                                const PipelineLayout& layout) {
    VkShaderModuleCreateInfo module_info = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    module_info.codeSize = words.size_bytes();
    module_info.pCode = words.data();
    VkShaderModule module = VK_NULL_HANDLE;
    device_.check(device_.vk.CreateShaderModule(device_.device, &module_info, nullptr, &module),
                  "vkCreateShaderModule");
    const OwnedShaderModule owned_module(device_, module);

    VkComputePipelineCreateInfo info = {VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = module;
    info.stage.pName = "main";
    info.layout = layout.layout.get();
    VkPipeline pipeline = VK_NULL_HANDLE;
    const VkPipelineCache cache = cache_ ? cache_->get() : device_.pipeline_cache;
    device_.check(device_.vk.CreateComputePipelines(device_.device, cache, 1, &info, nullptr, &pipeline),
                  "vkCreateComputePipelines");
    device_.set_name(VK_OBJECT_TYPE_PIPELINE, uint64_t(pipeline), name);
    return {device_, pipeline};
}

}  // namespace vknorm::detail
