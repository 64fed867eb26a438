// A Recorder holds this.
#pragma once

#include "vulkan/commands.hpp"
#include "vulkan/descriptors.hpp"
#include "vulkan/hazards.hpp"

namespace vknorm::detail {

struct RecorderState {
    RecorderState(Device& owner, VkCommandBuffer command_buffer)
        : device(owner), commands(command_buffer), descriptors(owner.state()) {}

    Device& device;
    VkCommandBuffer commands;
    bool recording = true;  ///< it is false for a stream's recorder after it was submitted
    HazardTracker hazards;
    DescriptorPools descriptors;
    std::vector<OwnedBufferView> texels;  ///< the commands read through these views
    Timestamps* timestamps = nullptr;     ///< it is null where nothing is measured

    uint32_t transactions = 0;     ///< those that are open
    std::vector<Command> pending;  ///< they have recorded these

    const DeviceState& vulkan() const { return device.state(); }
    /// Throws std::logic_error when nothing can be recorded.
    void require_recording() const;
    /// Adds a command of an open transaction, behind a barrier where its uses need one.
    Command& append(std::span<const Use> uses);
    /// Moves all pending commands to the command buffer.
    void write_pending() noexcept;
    /// Forgets everything; the commands have run or were dropped.
    void reset();
};

/// Orders everything recorded so far before all later compute shaders and transfers and, if `host`, makes it
/// visible to the host. The recorder's hazards are not touched.
void record_barrier(RecorderState& recorder, bool host);

}  // namespace vknorm::detail
