// Ranks that are processes, on one machine or many, which mpirun has started. A library of its own,
// vknorm::mpi, which is built where MPI is found.
#pragma once

#include <memory>

#include <vknorm/exchange.hpp>

namespace vknorm {

/// Whether mpirun, or what stands in for it, has started this process.
bool started_by_mpi();

/// Of MPI_COMM_WORLD, on a communicator of its own. For use by one thread at a time.
class MpiExchange final : public Exchange {
  public:
    /// All ranks make one. Initializes MPI, unless somebody has; then its end is the exchange's, too.
    explicit MpiExchange(std::chrono::milliseconds time_out = default_exchange_time_out);
    /// Tells the others, who throw ExchangeError if they wait for this rank then or later. Finalizes MPI, if
    /// it initialized it, unless an exception is on its way: the process has to end then, and others with it.
    ~MpiExchange() override;

    uint32_t rank() const override;
    uint32_t size() const override;
    /// Of less than 2 GiB each.
    std::vector<Message> trade(std::span<const MessageView> messages) override;
    /// Prints `why` on standard error, and ends all processes, this one among them.
    void abort(const std::string& why) noexcept override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vknorm
