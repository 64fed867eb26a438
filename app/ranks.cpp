#include "app/ranks.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

#ifdef VKNORM_WITH_MPI
#include <vknorm/mpi.hpp>
#endif

namespace lab {

namespace {

#ifdef VKNORM_WITH_MPI
bool is_process_of_mpi() {
    return vknorm::started_by_mpi();
}

int run_as_process(const std::function<int(vknorm::Exchange&)>& rank) {
    vknorm::MpiExchange exchange;
    return rank(exchange);
}
#else
bool is_process_of_mpi() {
    return false;
}

int run_as_process(const std::function<int(vknorm::Exchange&)>&) {
    return exit_status::failed;
}
#endif

/// As it travels.
struct Measured {
    float examples_per_second, exchange_share;
};

}  // namespace

bool has_ranks(const Options& options) {
    return is_process_of_mpi() || options.ranks > 0;
}

int run_ranks(const Options& options, const std::function<int(vknorm::Exchange&)>& rank) {
    if (is_process_of_mpi()) return run_as_process(rank);
    int status = exit_status::ok;
    vknorm::run_ranks(options.ranks, [&](vknorm::Exchange& exchange) {
        const int own = rank(exchange);
        if (exchange.rank() == 0) status = own;
    });
    return status;
}

std::vector<vknorm::Exchange::Message> TimedExchange::trade(std::span<const MessageView> messages) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    std::vector<Message> got = exchange_.trade(messages);
    seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
    return got;
}

std::vector<RankReport> gather_reports(vknorm::Exchange& exchange, const RankReport& own) {
    const Measured speeds{own.examples_per_second, own.exchange_share};
    vknorm::Exchange::Message message(sizeof(Measured) + own.device.size());
    std::memcpy(message.data(), &speeds, sizeof(Measured));
    std::memcpy(message.data() + sizeof(Measured), own.device.data(), own.device.size());
    std::vector<RankReport> reports;
    for (const auto& its : vknorm::gather(exchange, "reports of ranks", message)) {
        if (its.size() < sizeof(Measured)) throw vknorm::ExchangeError("reports of ranks: one is too short");
        Measured of_rank{};
        std::memcpy(&of_rank, its.data(), sizeof(Measured));
        const auto* const name = reinterpret_cast<const char*>(its.data()) + sizeof(Measured);
        reports.push_back({.device = std::string(name, its.size() - sizeof(Measured)),
                           .examples_per_second = of_rank.examples_per_second,
                           .exchange_share = of_rank.exchange_share});
    }
    return reports;
}

std::string table_of(const std::vector<RankReport>& ranks) {
    std::string table = "rank  examples/s  exchange  device\n";
    for (size_t r = 0; r < ranks.size(); ++r) {
        std::array<char, 64> numbers{};
        std::snprintf(numbers.data(), numbers.size(), "%4zu  %10.0f  %6.0f %%  ", r,
                      double{ranks[r].examples_per_second}, 100.0 * double{ranks[r].exchange_share});
        table += numbers.data() + ranks[r].device + "\n";
    }
    return table;
}

}  // namespace lab
