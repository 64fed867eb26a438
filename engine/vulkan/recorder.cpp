#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "vulkan/pipelines.hpp"
#include "vulkan/recorder_state.hpp"

namespace vknorm {

namespace detail {

namespace {

[[noreturn]] void exceeded(const char* what, const char* limit, uint64_t got, uint64_t needed) {
    throw std::logic_error(std::string(what) + ": " + limit + ": got " + std::to_string(got) +
                           ", needs at most " + std::to_string(needed));
}

void require_within(const char* what, const char* limit, uint64_t got, uint64_t needed) {
    if (got > needed) exceeded(what, limit, got, needed);
}

bool absent(const BufferView& view) {
    return !view || view.bytes == 0;
}

Use use_of(const BufferView& view, bool reads, bool writes) {
    return {uint64_t(view.buffer), view.offset, view.offset + view.bytes, reads, writes};
}

void require_limits(const DeviceState& device, const Kernel& kernel, std::span<const Binding> bindings,
                    size_t push_bytes, Groups groups) {
    const char* name = kernel.shader.name;
    const Capabilities& capabilities = device.capabilities;
    if (!kernel.constants.empty())
        require_within(name, "workgroup size", kernel.constants[0], capabilities.max_workgroup_invocations);
    require_within(name, "workgroups in x", groups.x, capabilities.max_workgroups);
    require_within(name, "workgroups in y", groups.y, device.limits.maxComputeWorkGroupCount[1]);
    require_within(name, "workgroups in z", groups.z, device.limits.maxComputeWorkGroupCount[2]);
    require_within(name, "bindings", bindings.size(), device.limits.maxPerStageDescriptorStorageBuffers);
    require_within(name, "push constant bytes", push_bytes, device.limits.maxPushConstantsSize);
    for (size_t i = 0; i < bindings.size(); ++i) {
        const BufferView& view = bindings[i].view;
        if (absent(view)) continue;
        require_within(name, "bytes of a binding", whole_words(view.bytes),
                       capabilities.max_storage_buffer_range);
        if (view.offset % capabilities.storage_buffer_offset_alignment != 0)
            throw std::logic_error(std::string(name) + ": offset of binding " + std::to_string(i) + ": got " +
                                   std::to_string(view.offset) + ", needs a multiple of " +
                                   std::to_string(capabilities.storage_buffer_offset_alignment));
    }
}

VkFormat texel_format(const Bindings& kinds, uint32_t binding) {
    if (kinds.is_singles(binding)) return VK_FORMAT_R32_SINT;
    return kinds.is_pairs(binding) ? VK_FORMAT_R32G32_UINT : VK_FORMAT_R32G32B32A32_SFLOAT;
}

OwnedBufferView texel_view(const DeviceState& device, const VkDescriptorBufferInfo& range, VkFormat format) {
    VkBufferViewCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
    info.buffer = range.buffer;
    info.format = format;
    info.offset = range.offset;
    info.range = range.range;
    VkBufferView view = VK_NULL_HANDLE;
    device.check(device.vk.CreateBufferView(device.device, &info, nullptr, &view), "vkCreateBufferView");
    return {device, view};
}

// These are the descriptor writes for set 0, together with the arrays that they point to.
struct Writes {
    std::vector<VkDescriptorBufferInfo> buffers;
    std::vector<OwnedBufferView> views;
    std::vector<VkBufferView> texels;
    std::vector<VkWriteDescriptorSet> writes;

    Writes(const DeviceState& device, const Bindings& kinds, std::span<const Binding> bindings)
        : texels(bindings.size()) {
        for (const Binding& binding : bindings)
            buffers.push_back(absent(binding.view)
                                  ? VkDescriptorBufferInfo{device.dummy->buffer, 0, dummy_bytes}
                                  : VkDescriptorBufferInfo{binding.view.buffer, binding.view.offset,
                                                           whole_words(binding.view.bytes)});
        for (uint32_t i = 0; i < buffers.size(); ++i) {
            VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
            write.dstBinding = i;
            write.descriptorCount = 1;
            write.descriptorType = descriptor_type(kinds, i);
            if (kinds.is_texels(i)) {
                views.push_back(texel_view(device, buffers[i], texel_format(kinds, i)));
                texels[i] = views.back().get();
                write.pTexelBufferView = &texels[i];
            } else {
                write.pBufferInfo = &buffers[i];
            }
            writes.push_back(write);
        }
    }
    uint32_t count() const { return static_cast<uint32_t>(writes.size()); }
};

// Without push descriptors a set comes from the recorder's pools. It is made and written before anything is
// recorded, because that may fail. With push descriptors null is returned.
VkDescriptorSet prepare_set(RecorderState& recorder, const PipelineLayout& layout, Writes& writes) {
    const DeviceState& device = recorder.vulkan();
    if (device.capabilities.push_descriptors) return VK_NULL_HANDLE;
    const VkDescriptorSet set = recorder.descriptors.allocate(layout.set.get(), layout.bindings.count);
    for (VkWriteDescriptorSet& write : writes.writes) write.dstSet = set;
    device.vk.UpdateDescriptorSets(device.device, writes.count(), writes.writes.data(), 0, nullptr);
    return set;
}

void bind_set(RecorderState& recorder, const PipelineLayout& layout, const Writes& writes,
              VkDescriptorSet set) {
    const Functions& vk = recorder.vulkan().vk;
    if (set == VK_NULL_HANDLE)
        vk.CmdPushDescriptorSetKHR(recorder.commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout.layout.get(), 0,
                                   writes.count(), writes.writes.data());
    else
        vk.CmdBindDescriptorSets(recorder.commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout.layout.get(), 0, 1,
                                 &set, 0, nullptr);
}

void order(RecorderState& recorder, std::span<const Use> uses) {
    recorder.keep(uses);
    if (recorder.hazards.add(uses)) record_barrier(recorder, false);
}

}  // namespace

void RecorderState::require_recording() const {
    if (!recording)
        throw std::invalid_argument(
            "Recorder: was submitted or discarded; call Stream::record() for the next one");
}

void RecorderState::keep(std::span<const Use> uses) {
    for (const Use& use : uses) {
        if (buffers.contains(use.buffer)) continue;
        // A buffer of the caller's is the caller's to keep.
        if (auto own = vulkan().memory->find(VkBuffer(use.buffer)))
            buffers.emplace(use.buffer, std::move(own));
    }
}

void RecorderState::reset() {
    hazards.clear();
    descriptors.reset();
    texels.clear();
    buffers.clear();
}

void record_barrier(RecorderState& recorder, bool host) {
    VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER};
    barrier.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT |
                            VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    constexpr VkPipelineStageFlags stages =
        VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkPipelineStageFlags after = stages;
    if (host) {
        barrier.dstAccessMask |= VK_ACCESS_HOST_READ_BIT | VK_ACCESS_HOST_WRITE_BIT;
        after |= VK_PIPELINE_STAGE_HOST_BIT;
    }
    recorder.vulkan().vk.CmdPipelineBarrier(recorder.commands, stages, after, 0, 1, &barrier, 0, nullptr, 0,
                                            nullptr);
}

AlignedView align_down(const Device& device, const BufferView& view, uint32_t element_bytes) {
    const VkDeviceSize skipped = view.offset % device.capabilities().storage_buffer_offset_alignment;
    if (skipped % element_bytes != 0)
        throw std::logic_error("align_down: offset: got " + std::to_string(view.offset) +
                               ", needs a multiple of " + std::to_string(element_bytes));
    return {{view.buffer, view.offset - skipped, view.bytes + skipped},
            static_cast<uint32_t>(skipped / element_bytes)};
}

bool may_be_texels(const DeviceState& state, const BufferView& tensor) {
    if (!state.capabilities.texel_blocks) return false;
    return absent(tensor) || state.memory->owns(tensor.buffer);
}

void dispatch(Recorder& recorder, const Kernel& kernel, std::span<const Binding> bindings,
              std::span<const std::byte> push_constants, Groups groups) {
    RecorderState& state = recorder.state();
    const DeviceState& device = state.vulkan();
    state.require_recording();
    require_limits(device, kernel, bindings, push_constants.size(), groups);
    if (groups.x == 0 || groups.y == 0 || groups.z == 0) return;

    // All that can fail comes first.
    const auto push_bytes = static_cast<uint32_t>(push_constants.size());
    const Pipeline& pipeline = device.pipelines->get(kernel.shader, kernel.constants, push_bytes);
    if (pipeline.layout->bindings.count > bindings.size())
        throw std::logic_error(std::string(kernel.shader.name) + ": bindings: got " +
                               std::to_string(bindings.size()) + ", needs " +
                               std::to_string(pipeline.layout->bindings.count));
    bindings = bindings.first(pipeline.layout->bindings.count);
    Writes writes(device, pipeline.layout->bindings, bindings);
    const VkDescriptorSet set = prepare_set(state, *pipeline.layout, writes);
    std::vector<Use> uses;
    for (const Binding& binding : bindings) {
        // The layer cannot know that a kernel leaves absent arguments alone: they are ordered as well.
        const BufferView dummy = {device.dummy->buffer, 0, dummy_bytes};
        uses.push_back(use_of(absent(binding.view) ? dummy : binding.view, binding.access != Access::write,
                              binding.access != Access::read));
    }

    std::ranges::move(writes.views, std::back_inserter(state.texels));
    order(state, uses);
    // The pipeline is bound every time, as the caller may have bound another one in between.
    device.vk.CmdBindPipeline(state.commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline.get());
    bind_set(state, *pipeline.layout, writes, set);
    if (push_bytes > 0)
        device.vk.CmdPushConstants(state.commands, pipeline.layout->layout.get(), VK_SHADER_STAGE_COMPUTE_BIT,
                                   0, push_bytes, push_constants.data());
    device.vk.CmdDispatch(state.commands, groups.x, groups.y, groups.z);
}

void fill(Recorder& recorder, const BufferView& target, uint32_t word) {
    RecorderState& state = recorder.state();
    state.require_recording();
    if (whole_words(target.offset) != target.offset || whole_words(target.bytes) != target.bytes)
        throw std::logic_error("fill: offset and bytes need to be multiples of 4");
    if (absent(target)) return;
    const Use uses[] = {use_of(target, false, true)};
    order(state, uses);
    state.vulkan().vk.CmdFillBuffer(state.commands, target.buffer, target.offset, target.bytes, word);
}

void copy(Recorder& recorder, const BufferView& source, const BufferView& target) {
    RecorderState& state = recorder.state();
    state.require_recording();
    if (source.bytes != target.bytes) exceeded("copy", "bytes of the source", source.bytes, target.bytes);
    if (absent(source) || absent(target)) return;
    const Use uses[] = {use_of(source, true, false), use_of(target, false, true)};
    order(state, uses);
    const VkBufferCopy region = {source.offset, target.offset, source.bytes};
    state.vulkan().vk.CmdCopyBuffer(state.commands, source.buffer, target.buffer, 1, &region);
}

Label::Label(Recorder& recorder, const char* name) : recorder_(recorder.state()) {
    recorder_.require_recording();
    const DeviceState& device = recorder_.vulkan();
    if (recorder_.timestamps) stretch_ = recorder_.timestamps->begin(recorder_.commands, name);
    if (!device.debug_utils) return;
    VkDebugUtilsLabelEXT label = {VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT};
    label.pLabelName = name;
    device.vk.CmdBeginDebugUtilsLabelEXT(recorder_.commands, &label);
}

Label::~Label() {
    const DeviceState& device = recorder_.vulkan();
    if (device.debug_utils) device.vk.CmdEndDebugUtilsLabelEXT(recorder_.commands);
    if (recorder_.timestamps) recorder_.timestamps->end(recorder_.commands, stretch_);
}

}  // namespace detail

Recorder::Recorder(Device& device, VkCommandBuffer commands)
    : state_("Recorder", std::make_unique<detail::RecorderState>(device, commands)) {
    if (commands == VK_NULL_HANDLE) throw std::invalid_argument("Recorder: commands: got null");
}
Recorder::~Recorder() = default;
Recorder::Recorder(Recorder&& other) : state_(std::move(other.state_)) {
    if (!state_ || !state_->of_stream) return;
    std::swap(state_, other.state_);
    throw std::invalid_argument("Recorder: is that of a Stream, which cannot be moved");
}

Device& Recorder::device() const {
    return state_->device;
}
VkCommandBuffer Recorder::commands() const {
    return state_->commands;
}

}  // namespace vknorm
