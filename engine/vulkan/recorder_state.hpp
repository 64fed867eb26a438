// A Recorder holds this.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "vulkan/commands.hpp"
#include "vulkan/descriptors.hpp"
#include "vulkan/hazards.hpp"

namespace vknorm::detail {

struct RecorderState {
    RecorderState(Device& owner, VkCommandBuffer command_buffer)
        : device(owner), commands(command_buffer), descriptors(owner.state()) {}

    Device device;
    VkCommandBuffer commands;
    bool of_stream = false;
    bool recording = true;  ///< a stream's recorder is not once it was submitted or discarded
    HazardTracker hazards;
    DescriptorPools descriptors;
    /// The commands use these buffers of the engine's, here by handle.
    std::unordered_map<uint64_t, std::shared_ptr<const Allocation>> buffers;
    std::vector<uint64_t> kept;           ///< the handles in `buffers`, in the order of their first use
    std::vector<OwnedBufferView> texels;  ///< the commands read through these views
    Timestamps* timestamps = nullptr;     ///< it is null where nothing is measured

    uint32_t transactions = 0;     ///< those that are open
    std::vector<Command> pending;  ///< they have recorded these

    const DeviceState& vulkan() const { return device.state(); }
    /// Throws std::invalid_argument when nothing can be recorded.
    void require_recording() const;
    /// Adds a command of an open transaction, behind a barrier where its uses need one, and keeps the buffers
    /// that it uses.
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
