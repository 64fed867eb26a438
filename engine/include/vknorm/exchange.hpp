// Training one network in several places at once, by ranks, each on a part of the batch: how bytes get from
// one to the others, and what ranks tell each other.
//
// A way for the bytes is an Exchange: three facts and two calls. What is done with them is written once,
// below, and has the same bits on every rank: parts are merged in the order of ranks, on the host. Ranks are
// threads of one process (run_ranks), processes that MPI has started (vknorm/mpi.hpp), or what a user brings.
//
// All ranks make the same calls in the same order. Whoever is elsewhere, or is not there, is named in an
// ExchangeError.
#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <vknorm/batch_norm_stages.hpp>

namespace vknorm {

/// Ranks did not answer in time, have left or failed, or are elsewhere: which ones, and what was exchanged.
class ExchangeError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// For use by one thread at a time.
class Exchange {
  public:
    using Message = std::vector<std::byte>;
    using MessageView = std::span<const std::byte>;

    virtual ~Exchange() = default;
    virtual uint32_t rank() const = 0;  ///< below size()
    virtual uint32_t size() const = 0;
    /// Sends messages[r] to each rank r, and returns what each has sent to this one. To whom nothing is sent,
    /// the rank itself among them, from those nothing is awaited. Messages between two ranks stay in their
    /// order. Throws ExchangeError when not all have come in time.
    virtual std::vector<Message> trade(std::span<const MessageView> messages) = 0;
    /// Ends the run of all other ranks, which wait or will wait for this one, and tells them why: their calls
    /// throw ExchangeError, or their processes end.
    virtual void abort(const std::string& why) noexcept = 0;
};

constexpr std::chrono::seconds default_exchange_time_out{60};

/// Calls `rank` in as many threads at once, each with a rank's end of one exchange, and waits for them. When
/// one throws, or leaves while others wait for it, these throw ExchangeError; run_ranks throws what was
/// thrown first. Ranks may share a Device, or have one each, of any vendors.
void run_ranks(uint32_t size, const std::function<void(Exchange&)>& rank,
               std::chrono::milliseconds time_out = default_exchange_time_out);

// In all that follows `where` is for errors, and the same on all ranks: "step 7, 0.norm forward". With a
// group_size g above 0, ranks 0 to g - 1 have to do with each other only, the next g, and so on; the last
// group may be smaller.

/// What each rank of the group gives, in their order; lengths may differ.
std::vector<Exchange::Message> gather(Exchange& exchange, const std::string& where, Exchange::MessageView own,
                                      uint32_t group_size = 0);
/// Replaces `data`, of equal length everywhere, by that of rank 0.
void broadcast(Exchange& exchange, const std::string& where, std::span<std::byte> data);
/// Returns when all ranks have called it.
void barrier(Exchange& exchange, const std::string& where);

/// What a buffer holds, and how those of all ranks become one.
enum class Exchanged {
    moments,  ///< ChannelMoments, merged
    sums,     ///< ChannelSums, added
    total,    ///< float32, added, each addition rounded
    mean,     ///< float32, averaged
};

struct ExchangedBuffer {
    std::string where;
    Exchanged contents;
    BufferView buffer;
    uint32_t group_size = 0;
};

/// Replaces what the buffer holds by what all ranks of the group hold together, in the order of ranks: the
/// same bits everywhere. Submits what `stream` has recorded, and waits for it. Of n bytes each rank sends its
/// own n to all others, and with float32 about 2 n in all.
void all_reduce(Exchange& exchange, Stream& stream, const ExchangedBuffer& part);

}  // namespace vknorm
