// Ranks that train one run together, without a window: who they are, and what each tells of itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <vknorm/exchange.hpp>

#include "app/experiment/report.hpp"
#include "app/options.hpp"

namespace lab {

/// Whether this process is one of several that MPI has started, or is to be several ranks itself.
bool has_ranks(const Options& options);

/// Calls `rank` for each rank of this process, with its end of the exchange, and returns what it returns for
/// rank 0. What it throws ends all ranks.
int run_ranks(const Options& options, const std::function<int(vknorm::Exchange&)>& rank);

/// Measures how long another exchange takes.
class TimedExchange final : public vknorm::Exchange {
  public:
    explicit TimedExchange(vknorm::Exchange& exchange) : exchange_(exchange) {}

    uint32_t rank() const override { return exchange_.rank(); }
    uint32_t size() const override { return exchange_.size(); }
    std::vector<Message> trade(std::span<const MessageView> messages) override;
    void abort(const std::string& why) noexcept override { exchange_.abort(why); }
    double seconds() const { return seconds_; }

  private:
    vknorm::Exchange& exchange_;
    double seconds_ = 0;
};

/// What all ranks tell, in their order.
std::vector<RankReport> gather_reports(vknorm::Exchange& exchange, const RankReport& own);
/// A line for each rank.
std::string table_of(const std::vector<RankReport>& ranks);

}  // namespace lab
