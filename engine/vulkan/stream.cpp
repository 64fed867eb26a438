#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>

#include <vknorm/stream.hpp>

#include "vulkan/completion.hpp"
#include "vulkan/device_state.hpp"
#include "vulkan/recorder_state.hpp"
#include "vulkan/staging.hpp"

namespace vknorm {

namespace detail {

namespace {

constexpr size_t most_in_flight = 16;
constexpr Ticket timings_kept = 4;
// A destructor must not wait for ever.
constexpr auto longest_farewell = std::chrono::seconds(60);

OwnedCommandPool create_command_pool(const DeviceState& device) {
    VkCommandPoolCreateInfo info = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    info.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT;
    info.queueFamilyIndex = device.queue_family;
    VkCommandPool pool = VK_NULL_HANDLE;
    device.check(device.vk.CreateCommandPool(device.device, &info, nullptr, &pool), "vkCreateCommandPool");
    return {device, pool};
}

VkCommandBuffer allocate_commands(const DeviceState& device, VkCommandPool pool) {
    VkCommandBufferAllocateInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
    info.commandPool = pool;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    device.check(device.vk.AllocateCommandBuffers(device.device, &info, &commands),
                 "vkAllocateCommandBuffers");
    return commands;
}

}  // namespace

// A submission is recorded, then in flight, and then recorded anew.
struct Submission {
    explicit Submission(Device& device)
        : pool(create_command_pool(device.state())),
          timestamps(device.state()),
          recorder(device, allocate_commands(device.state(), pool.get())) {
        recorder.state().recording = false;
    }

    OwnedCommandPool pool;
    Timestamps timestamps;
    Recorder recorder;
    Ticket ticket = 0;  // it is 0 when the submission is not in flight
};

struct StreamState {
    StreamState(Device& owner, bool measure_labels)
        : device(owner),
          vulkan(owner.state()),
          measure(measure_labels),
          completion(owner.state()),
          uploads(owner, Memory::upload),
          readbacks(owner, Memory::readback) {
        vulkan.require_alive();
    }

    Device& device;
    const DeviceState& vulkan;
    bool measure;  // it tells whether what is recorded next is timed
    Completion completion;
    Staging uploads, readbacks;
    std::vector<std::unique_ptr<Submission>> submissions;
    Submission* current = nullptr;  // being recorded
    Ticket last = 0;
    std::map<Ticket, std::vector<Timing>> timings;

    Recorder& record();
    Ticket submit();
    bool reached(Ticket ticket);
    void wait(Ticket ticket);
    void require_own(Ticket ticket) const;
    bool idle() { return !current && reached(last); }
    Staging::Piece take(Staging& staging, VkDeviceSize bytes);
    void retire(Submission& submission);
    Submission& free_submission();
    bool wait_before_destruction() noexcept;
};

void StreamState::require_own(Ticket ticket) const {
    vulkan.require_alive();
    if (ticket > last)
        throw std::invalid_argument("Stream: ticket: got " + std::to_string(ticket) + ", needs at most " +
                                    std::to_string(last));
}

bool StreamState::reached(Ticket ticket) {
    require_own(ticket);
    return completion.reached(ticket);
}

void StreamState::wait(Ticket ticket) {
    do require_own(ticket);
    while (!completion.wait(ticket, longest_slice));
}

// It takes what is to be known of a submission that was reached.
void StreamState::retire(Submission& submission) {
    if (submission.recorder.state().timestamps)
        timings.insert_or_assign(submission.ticket, submission.timestamps.read());
    timings.erase(timings.begin(), timings.lower_bound(last + 1 - std::min(last, timings_kept)));
    submission.ticket = 0;
}

Submission& StreamState::free_submission() {
    const auto free = [this](const auto& submission) {
        return submission->ticket == 0 || reached(submission->ticket);
    };
    auto found = std::find_if(submissions.begin(), submissions.end(), free);
    if (found == submissions.end() && submissions.size() < most_in_flight) {
        submissions.push_back(std::make_unique<Submission>(device));
        return *submissions.back();
    }
    if (found == submissions.end()) {
        found = std::min_element(submissions.begin(), submissions.end(),
                                 [](const auto& a, const auto& b) { return a->ticket < b->ticket; });
        wait((*found)->ticket);
    }
    if ((*found)->ticket != 0) retire(**found);
    return **found;
}

Recorder& StreamState::record() {
    vulkan.require_alive();
    if (current) return current->recorder;
    Submission& submission = free_submission();
    RecorderState& state = submission.recorder.state();
    vulkan.check(vulkan.vk.ResetCommandPool(vulkan.device, submission.pool.get(), 0), "vkResetCommandPool");
    state.reset();
    submission.timestamps.reset();
    const bool timed = measure && device.capabilities().timestamp_period_ns > 0;
    state.timestamps = timed ? &submission.timestamps : nullptr;
    VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    info.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
    vulkan.check(vulkan.vk.BeginCommandBuffer(state.commands, &info), "vkBeginCommandBuffer");
    state.recording = true;
    current = &submission;
    return current->recorder;
}

Ticket StreamState::submit() {
    vulkan.require_alive();
    if (!current) return last;
    Submission& submission = *current;
    current = nullptr;
    RecorderState& state = submission.recorder.state();
    record_barrier(state, true);
    state.recording = false;
    vulkan.check(vulkan.vk.EndCommandBuffer(state.commands), "vkEndCommandBuffer");
    completion.submit(state.commands, last + 1);
    submission.ticket = ++last;
    return last;
}

Staging::Piece StreamState::take(Staging& staging, VkDeviceSize bytes) {
    for (;;) {
        if (const auto piece = staging.take(bytes, last + 1)) return *piece;
        const Ticket oldest = staging.oldest();
        if (oldest > last) submit();
        wait(oldest);
        staging.release(oldest);
    }
}

bool StreamState::wait_before_destruction() noexcept {
    const auto deadline = std::chrono::steady_clock::now() + longest_farewell;
    while (std::chrono::steady_clock::now() < deadline) {
        try {
            if (completion.wait(last, longest_slice)) return true;
        } catch (const Error& error) {
            // Out of memory may pass; a lost device ends what it ran.
            if (error.result() != VK_ERROR_DEVICE_LOST) continue;
            const std::lock_guard lock(*vulkan.queue_mutex);
            vulkan.vk.QueueWaitIdle(vulkan.queue);
            return true;
        }
    }
    return false;
}

namespace {

void require_sizes(const char* operation, const char* argument, const BufferView& view, size_t bytes) {
    const std::string where = std::string(operation) + ": " + argument + ": ";
    if (!view) throw std::invalid_argument(where + "got an absent view");
    if (view.bytes != bytes)
        throw std::invalid_argument(where + "got " + std::to_string(view.bytes) + " bytes, needs " +
                                    std::to_string(bytes));
}

StreamState& alive(const std::unique_ptr<StreamState>& state) {
    if (!state) throw std::invalid_argument("Stream: was moved from");
    return *state;
}

}  // namespace
}  // namespace detail

Stream::Stream(Device& device) : Stream(device, Options()) {}
Stream::Stream(Device& device, const Options& options)
    : state_(std::make_unique<detail::StreamState>(device, options.timestamps)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream::~Stream() {
    // What still runs after all this time needs its memory: it stays.
    if (state_ && !state_->wait_before_destruction()) (void)state_.release();
}

Recorder& Stream::record() {
    return detail::alive(state_).record();
}
Ticket Stream::submit() {
    return detail::alive(state_).submit();
}
bool Stream::reached(Ticket ticket) {
    return detail::alive(state_).reached(ticket);
}
void Stream::wait(Ticket ticket) {
    detail::alive(state_).wait(ticket);
}

bool Stream::wait(Ticket ticket, std::chrono::milliseconds timeout) {
    detail::alive(state_).require_own(ticket);
    return state_->completion.wait(ticket, timeout);
}

void Stream::upload(const BufferView& target, std::span<const std::byte> data) {
    detail::StreamState& state = detail::alive(state_);
    detail::require_sizes("Stream::upload", "target", target, data.size());
    state.vulkan.require_alive();
    if (std::byte* mapped = state.vulkan.memory->host_address(target.buffer); mapped && state.idle()) {
        std::memcpy(mapped + target.offset, data.data(), data.size());
        return;
    }
    for (VkDeviceSize done = 0; done < data.size();) {
        const VkDeviceSize bytes = std::min(detail::Staging::piece_bytes, data.size() - done);
        const detail::Staging::Piece piece = state.take(state.uploads, bytes);
        std::memcpy(piece.mapped, data.data() + done, bytes);
        detail::copy(state.record(), piece.view, {target.buffer, target.offset + done, bytes});
        done += bytes;
    }
}

void Stream::download(const BufferView& source, std::span<std::byte> data) {
    detail::StreamState& state = detail::alive(state_);
    detail::require_sizes("Stream::download", "source", source, data.size());
    state.vulkan.require_alive();
    if (const std::byte* mapped = state.vulkan.memory->host_address(source.buffer)) {
        state.wait(state.submit());
        std::memcpy(data.data(), mapped + source.offset, data.size());
        return;
    }
    for (VkDeviceSize done = 0; done < data.size();) {
        const VkDeviceSize bytes = std::min(detail::Staging::piece_bytes, data.size() - done);
        const detail::Staging::Piece piece = state.take(state.readbacks, bytes);
        detail::copy(state.record(), {source.buffer, source.offset + done, bytes}, piece.view);
        const Ticket ticket = state.submit();
        state.wait(ticket);
        std::memcpy(data.data() + done, piece.mapped, bytes);
        state.readbacks.release(ticket);
        done += bytes;
    }
}

std::vector<Timing> Stream::timings(Ticket ticket) {
    detail::StreamState& state = detail::alive(state_);
    if (!state.reached(ticket) || ticket + detail::timings_kept <= state.last) return {};
    for (const auto& submission : state.submissions)
        if (submission->ticket == ticket && ticket != 0) state.retire(*submission);
    const auto found = state.timings.find(ticket);
    return found == state.timings.end() ? std::vector<Timing>() : found->second;
}

void Stream::set_timestamps(bool timestamps) {
    detail::alive(state_).measure = timestamps;
}

}  // namespace vknorm
