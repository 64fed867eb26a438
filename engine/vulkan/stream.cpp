#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <new>
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
// A wait looks so often whether it was stopped.
constexpr std::chrono::milliseconds stop_interval{5};
// A ticket counts the submissions of its stream in so many bits; those above are the stream's.
constexpr int ticket_bits = 40;
std::atomic<uint32_t> streams_made = 0;

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
        recorder.state().of_stream = true;
        recorder.state().recording = false;
    }

    OwnedCommandPool pool;
    Timestamps timestamps;
    Recorder recorder;
    Ticket ticket = 0;    // it is 0 when the submission is not in flight
    uint64_t number = 0;  // among those of the device
};

// Commands use this memory until they have run.
struct UsedMemory {
    decltype(RecorderState::buffers) buffers;
    decltype(RecorderState::texels) texels;
};

// What else commands in flight need is left over when their stream is destroyed.
struct LeftOver {
    OwnedCommandPool pool;
    Timestamps timestamps;
    DescriptorPools descriptors;
};

struct StreamState {
    StreamState(Device& owner, bool measure_labels)
        : device(owner),
          vulkan(owner.state()),
          measure(measure_labels),
          uploads(device, Memory::upload),
          readbacks(device, Memory::readback) {
        vulkan.require_alive();
    }

    Device device;
    const DeviceState& vulkan;
    bool measure;  // it tells whether what is recorded next is timed
    Staging uploads, readbacks;
    std::vector<std::unique_ptr<Submission>> submissions;
    Submission* current = nullptr;  // being recorded
    const Ticket none = uint64_t{++streams_made} << ticket_bits;
    Ticket last = none;
    std::map<Ticket, std::vector<Timing>> timings;

    Recorder& record();
    Ticket submit();
    void discard();
    bool reached(Ticket ticket);
    void wait(Ticket ticket);
    void require_own(Ticket ticket) const;
    uint64_t number_of(Ticket ticket) const;
    Staging::Piece take(Staging& staging, VkDeviceSize bytes);
    void retire(Submission& submission);
    Submission& free_submission();
    bool leave() noexcept;
};

void StreamState::require_own(Ticket ticket) const {
    vulkan.require_alive();
    if (ticket == 0 || (ticket > none && ticket <= last)) return;
    const auto text = [](Ticket t) { return std::to_string(t & ((Ticket{1} << ticket_bits) - 1)); };
    const bool own = ticket >> ticket_bits == none >> ticket_bits;
    throw std::invalid_argument("Stream: ticket: got submission " + text(ticket) +
                                (own ? "" : " of another stream") + ", needs at most " + text(last) +
                                " of this one");
}

// Among those of the device; 0 when it has been reached.
uint64_t StreamState::number_of(Ticket ticket) const {
    const auto found = std::find_if(submissions.begin(), submissions.end(), [ticket](const auto& submission) {
        return ticket != 0 && submission->ticket == ticket;
    });
    return found == submissions.end() ? 0 : (*found)->number;
}

bool StreamState::reached(Ticket ticket) {
    require_own(ticket);
    return vulkan.completion->reached(number_of(ticket));
}

void StreamState::wait(Ticket ticket) {
    require_own(ticket);
    vulkan.completion->wait(number_of(ticket));
}

// It takes what is to be known of a submission that was reached.
void StreamState::retire(Submission& submission) {
    if (submission.recorder.state().timestamps)
        timings.insert_or_assign(submission.ticket, submission.timestamps.read());
    timings.erase(timings.begin(), timings.lower_bound(last + 1 - std::min(last - none, timings_kept)));
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
    const bool timed = measure && vulkan.capabilities.timestamp_period_ns > 0;
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
    if (!current) return last == none ? 0 : last;
    Submission& submission = *current;
    RecorderState& state = submission.recorder.state();
    try {
        record_barrier(state, true);
        vulkan.check(vulkan.vk.EndCommandBuffer(state.commands), "vkEndCommandBuffer");
        auto used =
            std::make_shared<UsedMemory>(UsedMemory{std::move(state.buffers), std::move(state.texels)});
        submission.number = vulkan.completion->submit(state.commands, std::move(used));
    } catch (...) {
        discard();
        throw;
    }
    state.recording = false;
    current = nullptr;
    submission.ticket = ++last;
    return last;
}

void StreamState::discard() {
    if (!current) return;
    RecorderState& state = current->recorder.state();
    current = nullptr;
    state.recording = false;
    state.texels.clear();
    state.buffers.clear();
    state.kept.clear();
    uploads.discard(last);
    readbacks.discard(last);
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

// It returns false when what still runs needs all of this.
bool StreamState::leave() noexcept {
    discard();
    Completion& completion = *vulkan.completion;
    if (completion.wait_before_destruction(number_of(last == none ? 0 : last))) return true;
    try {
        for (const auto& submission : submissions) {
            if (submission->ticket == 0) continue;
            completion.keep(submission->number,
                            std::make_shared<LeftOver>(
                                LeftOver{std::move(submission->pool), std::move(submission->timestamps),
                                         std::move(submission->recorder.state().descriptors)}));
        }
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

namespace {

void require_sizes(const char* operation, const char* argument, const DeviceState& device,
                   const BufferView& view, size_t bytes) {
    const std::string where = std::string(operation) + ": " + argument + ": ";
    if (!view) throw std::invalid_argument(where + "got an absent view");
    if (view.bytes != bytes)
        throw std::invalid_argument(where + "got " + std::to_string(view.bytes) + " bytes, needs " +
                                    std::to_string(bytes));
    if (const auto refusal = device.refusal_of(view))
        throw std::invalid_argument(where + "got " + refusal->got + ", needs " + refusal->needed);
}

// The host reads and writes there quickly; it is null elsewhere.
std::byte* host_address(const DeviceState& device, const BufferView& view) {
    const auto own = device.memory->find(view.buffer);
    return own && own->host_address ? own->host_address + view.offset : nullptr;
}

}  // namespace
}  // namespace detail

Stream::Stream(Device& device) : Stream(device, Options()) {}
Stream::Stream(Device& device, const Options& options)
    : state_("Stream", std::make_unique<detail::StreamState>(device, options.timestamps)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream::~Stream() {
    if (state_ && !state_->leave()) (void)state_.take().release();
}

Recorder& Stream::record() {
    return state_->record();
}
Ticket Stream::submit() {
    return state_->submit();
}
void Stream::discard() {
    state_->discard();
}
bool Stream::reached(Ticket ticket) {
    return state_->reached(ticket);
}
void Stream::wait(Ticket ticket) {
    state_->wait(ticket);
}

bool Stream::wait_for(Ticket ticket, std::chrono::milliseconds timeout) {
    state_->require_own(ticket);
    return state_->vulkan.completion->wait(state_->number_of(ticket), timeout);
}

bool Stream::wait(Ticket ticket, std::stop_token stop) {
    while (!state_->reached(ticket)) {
        if (stop.stop_requested()) return false;
        wait_for(ticket, detail::stop_interval);
    }
    return true;
}

void Stream::upload(const BufferView& target, std::span<const std::byte> data) {
    detail::StreamState& state = *state_;
    detail::require_sizes("Stream::upload", "target", state.vulkan, target, data.size());
    state.vulkan.require_alive();
    if (data.empty()) return;
    // Nothing that was submitted can read or write what is written now.
    if (std::byte* address = detail::host_address(state.vulkan, target);
        address && !state.current && state.vulkan.completion->idle()) {
        std::memcpy(address, data.data(), data.size());
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
    detail::StreamState& state = *state_;
    detail::require_sizes("Stream::download", "source", state.vulkan, source, data.size());
    state.vulkan.require_alive();
    if (data.empty()) return;
    if (const std::byte* address = detail::host_address(state.vulkan, source)) {
        state.submit();
        // Other streams may have submitted what writes there.
        state.vulkan.completion->wait(state.vulkan.completion->last());
        std::memcpy(data.data(), address, data.size());
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
    detail::StreamState& state = *state_;
    if (!state.reached(ticket) || ticket + detail::timings_kept <= state.last) return {};
    for (const auto& submission : state.submissions)
        if (submission->ticket == ticket && ticket != 0) state.retire(*submission);
    const auto found = state.timings.find(ticket);
    return found == state.timings.end() ? std::vector<Timing>() : found->second;
}

void Stream::set_timestamps(bool timestamps) {
    state_->measure = timestamps;
}

}  // namespace vknorm
