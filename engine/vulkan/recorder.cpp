#include <stdexcept>

#include "vulkan/recorder_state.hpp"

namespace vknorm {

namespace detail {

void RecorderState::require_recording() const {
    if (!recording) throw std::logic_error("Recorder: was submitted; call Stream::record() for the next one");
}

Command& RecorderState::append(std::span<const Use> uses) {
    Command& command = pending.emplace_back();
    command.barrier = hazards.add(uses);
    return command;
}

void RecorderState::write_pending() noexcept {
    CommandWriter(vulkan(), commands, timestamps).write(pending);
    pending.clear();
}

void RecorderState::reset() {
    hazards.clear();
    descriptors.reset();
    texels.clear();
}

void record_barrier(RecorderState& recorder, bool host) {
    CommandWriter(recorder.vulkan(), recorder.commands, recorder.timestamps).barrier(host);
}

}  // namespace detail

Recorder::Recorder(Device& device, VkCommandBuffer commands) {
    if (commands == VK_NULL_HANDLE) throw std::invalid_argument("Recorder: commands: got null");
    state_ = std::make_unique<detail::RecorderState>(device, commands);
}
Recorder::~Recorder() = default;
Recorder::Recorder(Recorder&&) noexcept = default;

Device& Recorder::device() const {
    return state_->device;
}
VkCommandBuffer Recorder::commands() const {
    return state_->commands;
}

}  // namespace vknorm
