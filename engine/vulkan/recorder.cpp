#include <stdexcept>

#include "vulkan/recorder_state.hpp"

namespace vknorm {

namespace detail {

void RecorderState::require_recording() const {
    if (!recording)
        throw std::invalid_argument(
            "Recorder: was submitted or discarded; call Stream::record() for the next one");
}

Command& RecorderState::append(std::span<const Use> uses) {
    for (const Use& use : uses) {
        if (buffers.contains(use.buffer)) continue;
        // A buffer of the caller's is the caller's to keep.
        if (auto own = vulkan().memory->find(VkBuffer(use.buffer))) {
            kept.push_back(use.buffer);
            buffers.emplace(use.buffer, std::move(own));
        }
    }
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
    buffers.clear();
    kept.clear();
}

void record_barrier(RecorderState& recorder, bool host) {
    CommandWriter(recorder.vulkan(), recorder.commands, recorder.timestamps).barrier(host);
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
