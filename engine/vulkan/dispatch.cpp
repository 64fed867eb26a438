#include "vulkan/dispatch.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "vulkan/recorder_state.hpp"

namespace vknorm::detail {

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
    require_within(name, "bindings", bindings.size(), most_bindings);
    require_within(name, "push constant bytes", push_bytes, push_bytes_everywhere);
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

// Without push descriptors the bindings are written to a set of the recorder's pools.
VkDescriptorSet written_set(RecorderState& recorder, DispatchCommand& command) {
    const DeviceState& device = recorder.vulkan();
    const PipelineLayout& layout = *command.pipeline->layout;
    command.set = recorder.descriptors.allocate(layout.set.get(), layout.bindings.count());
    const auto writes = descriptor_writes(command);
    device.vk.UpdateDescriptorSets(device.device, layout.bindings.count(), writes.data(), 0, nullptr);
    return command.set;
}

}  // namespace

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
    const Transaction transaction(recorder);
    RecorderState& state = recorder.state();
    const DeviceState& device = state.vulkan();
    require_limits(device, kernel, bindings, push_constants.size(), groups);
    if (groups.x == 0 || groups.y == 0 || groups.z == 0) return;

    const auto push_bytes = static_cast<uint32_t>(push_constants.size());
    const Pipeline& pipeline = device.pipelines->get(kernel.shader, kernel.constants, push_bytes);
    const Bindings& kinds = pipeline.layout->bindings;
    if (kinds.end() > bindings.size())
        throw std::logic_error(std::string(kernel.shader.name) + ": bindings: got " +
                               std::to_string(bindings.size()) + ", needs " + std::to_string(kinds.end()));
    // The layer cannot know that a kernel leaves absent arguments alone: they are ordered as well.
    const BufferView dummy = {device.dummy->buffer, 0, dummy_bytes};
    std::array<Use, most_bindings> uses;
    uint32_t count = 0;
    for (uint32_t i = 0; i < kinds.end(); ++i) {
        if (!kinds.has(i)) continue;
        uses[count++] = use_of(absent(bindings[i].view) ? dummy : bindings[i].view,
                               bindings[i].access != Access::write, bindings[i].access != Access::read);
    }

    auto& command = state.append({uses.data(), count})
                        .what.emplace<DispatchCommand>(DispatchCommand{.pipeline = &pipeline});
    for (uint32_t i = 0; i < kinds.end(); ++i) {
        if (!kinds.has(i)) continue;
        const BufferView& view = absent(bindings[i].view) ? dummy : bindings[i].view;
        command.buffers[i] = {view.buffer, view.offset, whole_words(view.bytes)};
        if (!kinds.is_texels(i)) continue;
        state.texels.push_back(texel_view(device, command.buffers[i], texel_format(kinds, i)));
        command.texels[i] = state.texels.back().get();
    }
    if (!device.capabilities.push_descriptors) command.set = written_set(state, command);
    std::ranges::copy(push_constants, command.push_constants.begin());
    command.push_bytes = push_bytes;
    command.groups = groups;
}

void fill(Recorder& recorder, const BufferView& target, uint32_t word) {
    const Transaction transaction(recorder);
    if (whole_words(target.offset) != target.offset || whole_words(target.bytes) != target.bytes)
        throw std::logic_error("fill: offset and bytes need to be multiples of 4");
    if (absent(target)) return;
    const Use uses[] = {use_of(target, false, true)};
    recorder.state().append(uses).what = FillCommand{target, word};
}

void copy(Recorder& recorder, const BufferView& source, const BufferView& target) {
    const Transaction transaction(recorder);
    if (source.bytes != target.bytes) exceeded("copy", "bytes of the source", source.bytes, target.bytes);
    if (absent(source) || absent(target)) return;
    const Use uses[] = {use_of(source, true, false), use_of(target, false, true)};
    recorder.state().append(uses).what = CopyCommand{source, target};
}

Label::Label(Recorder& recorder, std::string name) : transaction_(recorder), recorder_(recorder.state()) {
    const bool named = recorder_.vulkan().debug_utils;
    if (!named && !recorder_.timestamps) return;
    auto& stretch = recorder_.append({}).what.emplace<StretchCommand>();
    command_ = recorder_.pending.size() - 1;
    if (recorder_.timestamps) stretch.timed = recorder_.timestamps->open(name);
    if (named) stretch.label = std::move(name);
}

Label::~Label() {
    if (!command_) return;
    std::get<StretchCommand>(recorder_.pending[*command_].what).end = recorder_.pending.size();
    if (recorder_.timestamps) recorder_.timestamps->close();
}

}  // namespace vknorm::detail
