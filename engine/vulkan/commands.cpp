#include "vulkan/commands.hpp"

namespace vknorm::detail {

std::array<VkWriteDescriptorSet, most_bindings> descriptor_writes(const DispatchCommand& command) {
    const Bindings& kinds = command.pipeline->layout->bindings;
    std::array<VkWriteDescriptorSet, most_bindings> writes;
    uint32_t count = 0;
    for (uint32_t i = 0; i < kinds.end(); ++i) {
        if (!kinds.has(i)) continue;
        VkWriteDescriptorSet& write = writes[count++];
        write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
        write.dstSet = command.set;
        write.dstBinding = i;
        write.descriptorCount = 1;
        write.descriptorType = descriptor_type(kinds, i);
        if (kinds.is_texels(i))
            write.pTexelBufferView = &command.texels[i];
        else
            write.pBufferInfo = &command.buffers[i];
    }
    return writes;
}

void CommandWriter::barrier(bool host) const {
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
    device_.vk.CmdPipelineBarrier(target_, stages, after, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

void CommandWriter::write(const std::vector<Command>& commands, size_t first, size_t end) const {
    for (size_t at = first; at < end; ++at) {
        const Command& command = commands[at];
        if (command.barrier) barrier(false);
        if (const auto* const stretch = std::get_if<StretchCommand>(&command.what)) {
            begin(*stretch);
            write(commands, at + 1, stretch->end);
            this->end(*stretch);
            at = stretch->end - 1;
        } else if (const auto* const dispatch = std::get_if<DispatchCommand>(&command.what)) {
            write(*dispatch);
        } else if (const auto* const fill = std::get_if<FillCommand>(&command.what)) {
            write(*fill);
        } else if (const auto* const copy = std::get_if<CopyCommand>(&command.what)) {
            write(*copy);
        }
    }
}

void CommandWriter::write(const DispatchCommand& command) const {
    const Functions& vk = device_.vk;
    const PipelineLayout& layout = *command.pipeline->layout;
    // The pipeline is bound every time, as the caller may have bound another one in between.
    vk.CmdBindPipeline(target_, VK_PIPELINE_BIND_POINT_COMPUTE, command.pipeline->pipeline.get());
    if (command.set == VK_NULL_HANDLE) {
        const auto writes = descriptor_writes(command);
        vk.CmdPushDescriptorSetKHR(target_, VK_PIPELINE_BIND_POINT_COMPUTE, layout.layout.get(), 0,
                                   layout.bindings.count(), writes.data());
    } else {
        vk.CmdBindDescriptorSets(target_, VK_PIPELINE_BIND_POINT_COMPUTE, layout.layout.get(), 0, 1,
                                 &command.set, 0, nullptr);
    }
    if (command.push_bytes > 0)
        vk.CmdPushConstants(target_, layout.layout.get(), VK_SHADER_STAGE_COMPUTE_BIT, 0, command.push_bytes,
                            command.push_constants.data());
    vk.CmdDispatch(target_, command.groups.x, command.groups.y, command.groups.z);
}

void CommandWriter::write(const FillCommand& command) const {
    device_.vk.CmdFillBuffer(target_, command.target.buffer, command.target.offset, command.target.bytes,
                             command.word);
}

void CommandWriter::write(const CopyCommand& command) const {
    const VkBufferCopy region = {command.source.offset, command.target.offset, command.source.bytes};
    device_.vk.CmdCopyBuffer(target_, command.source.buffer, command.target.buffer, 1, &region);
}

void CommandWriter::begin(const StretchCommand& stretch) const {
    if (stretch.timed) timestamps_->begin(target_, *stretch.timed);
    if (!device_.debug_utils) return;
    VkDebugUtilsLabelEXT label = {VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT};
    label.pLabelName = stretch.label.c_str();
    device_.vk.CmdBeginDebugUtilsLabelEXT(target_, &label);
}

void CommandWriter::end(const StretchCommand& stretch) const {
    if (device_.debug_utils) device_.vk.CmdEndDebugUtilsLabelEXT(target_);
    if (stretch.timed) timestamps_->end(target_, *stretch.timed);
}

}  // namespace vknorm::detail
