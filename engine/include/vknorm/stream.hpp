// Recording operations and running them.
//
// Operations append to a Recorder. It belongs to a Stream, which submits it, or wraps the caller's own
// command buffer, which the caller submits. Barriers between recorded operations are placed by the Recorder,
// from the ranges that each operation reads and writes.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include <vknorm/buffer.hpp>
#include <vknorm/state_pointer.hpp>

namespace vknorm {

namespace detail {
struct RecorderState;
struct StreamState;
}  // namespace detail

/// Records into one command buffer; for use by one thread at a time.
class Recorder {
  public:
    /// Records into `commands`, the caller's command buffer in the recording state, on a queue family with
    /// compute, outside a render pass. On entry: the caller's own barriers made earlier writes visible to
    /// compute shaders and transfers. On exit: results are written by the COMPUTE_SHADER stage (SHADER_WRITE)
    /// or the TRANSFER stage (TRANSFER_WRITE); the caller makes them visible to what follows. Changed on the
    /// way: the compute pipeline, compute descriptor set 0 and the push constants; compute sets with higher
    /// numbers must be bound again too, unless their pipeline layout is compatible with ours for set 0. The
    /// Recorder owns the descriptor sets, keeps the engine's buffers, and must live until the commands have
    /// run.
    Recorder(Device& device, VkCommandBuffer commands);
    ~Recorder();
    /// Throws std::invalid_argument for the recorder of a Stream, which stays with it.
    Recorder(Recorder&&);  // NOLINT(performance-noexcept-move-constructor)
    Recorder& operator=(Recorder&&) = delete;

    Device& device() const;
    VkCommandBuffer commands() const;
    detail::RecorderState& state() const { return *state_; }

  private:
    detail::StatePointer<std::unique_ptr<detail::RecorderState>> state_;
};

/// Names one submission of one Stream; its later submissions compare greater, and no other Stream takes it. 0
/// names none and is always reached.
using Ticket = uint64_t;

/// Duration of one labelled stretch of recorded work, measured by the device.
struct Timing {
    std::string label;
    double milliseconds;
    uint32_t depth = 0;  ///< so many of those before it enclose it
};

/// A sequence of submissions to the device's queue, executed in order. For use by one thread at a time;
/// several streams may share a device.
class Stream {
  public:
    struct Options {
        bool timestamps =
            false;  ///< measure labelled stretches; see timings(). Ignored where the queue has none.
    };
    explicit Stream(Device& device);
    Stream(Device& device, const Options& options);
    /// Waits for what it submitted, though no longer than the device's `farewell`; what was recorded but not
    /// submitted is dropped.
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) = delete;

    /// The recorder of the next submission: the same one until submit(), which ends it. Waits for the oldest
    /// submission when sixteen are in flight.
    Recorder& record();
    /// Submits what was recorded since the last submission; with nothing recorded, returns the last ticket.
    /// Every submission ends with a barrier: what it wrote is visible to everything submitted to the queue
    /// later, by whatever stream, and to the host once it is reached. When it throws, what was recorded is
    /// dropped.
    Ticket submit();
    /// Drops what was recorded since the last submission, uploads among it; Recorder& of before is of no use
    /// then. An upload of more than 16 MiB, though, submits on its way what was recorded.
    void discard();

    // Throw std::invalid_argument for a ticket that this stream has not given out, and Error when the device
    // is lost.
    bool reached(Ticket ticket);
    /// Waits until reached.
    void wait(Ticket ticket);
    /// Returns false when `timeout`, of any length, passed first.
    template <class Rep, class Period>
    bool wait(Ticket ticket, std::chrono::duration<Rep, Period> timeout) {
        using Seconds = std::chrono::duration<double>;
        constexpr auto longest = std::chrono::milliseconds::max();
        if (timeout <= timeout.zero()) return wait_for(ticket, {});
        if (Seconds(timeout) >= Seconds(longest)) return wait_for(ticket, longest);
        return wait_for(ticket, std::chrono::ceil<std::chrono::milliseconds>(timeout));
    }
    /// Returns false when a stop was requested first.
    bool wait(Ticket ticket, std::stop_token stop);

    // Both throw std::invalid_argument unless sizes match. Both are ordered after what this stream recorded
    // and after all that was submitted to the device before, by whatever stream; the caller's own submissions
    // to an adopted device are not known: order those yourself.
    /// Copies `data`, which may be reused at once, to `target`. What is submitted after this stream's next
    /// submission sees it. A VkBuffer of the caller's needs the TRANSFER_DST usage.
    void upload(const BufferView& target, std::span<const std::byte> data);
    /// Submits what was recorded, waits, and copies `source` to `data`. A VkBuffer of the caller's needs the
    /// TRANSFER_SRC usage.
    void download(const BufferView& source, std::span<std::byte> data);

    /// Timings of the submission `ticket`, in recording order; empty without timestamps or before it is
    /// reached. Kept for the four latest submissions.
    std::vector<Timing> timings(Ticket ticket);
    /// As Options::timestamps, for submissions whose recording has not begun.
    void set_timestamps(bool timestamps);

    template <class T>
    void upload(const BufferView& target, std::span<const T> data) {
        upload(target, std::as_bytes(data));
    }
    template <class T>
    void upload(const BufferView& target, const std::vector<T>& data) {
        upload(target, std::as_bytes(std::span(data)));
    }
    /// The whole of `source` as values of T.
    template <class T>
    std::vector<T> download(const BufferView& source) {
        std::vector<T> data(source.bytes / sizeof(T));
        download(source, std::as_writable_bytes(std::span(data)));
        return data;
    }

  private:
    bool wait_for(Ticket ticket, std::chrono::milliseconds timeout);

    detail::StatePointer<std::unique_ptr<detail::StreamState>> state_;
};

}  // namespace vknorm
