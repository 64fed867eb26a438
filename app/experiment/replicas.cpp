#include "app/experiment/replicas.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace lab {

namespace {

/// Rows [first, end).
struct Share {
    size_t first, end;

    /// Of rows of so many values.
    template <class T>
    std::span<const T> of(std::span<const T> values, size_t width) const {
        return values.subspan(first * width, (end - first) * width);
    }
};

/// What a network takes of so many rows, in pieces that stay whole.
Share share_of(const vknorm::Network& network, size_t rows, size_t piece = 1) {
    const vknorm::Exchange* const exchange = network.options().exchange;
    if (exchange == nullptr) return {0, rows};
    const size_t pieces = (rows + piece - 1) / piece;
    const auto row = [&](uint32_t rank) { return std::min(pieces * rank / exchange->size() * piece, rows); };
    return {row(exchange->rank()), row(exchange->rank() + 1)};
}

/// Its share of every micro-batch of a step.
template <class T>
std::vector<T> share_of_step(const vknorm::Network& network, std::span<const T> values, size_t width) {
    const size_t micro_batches = network.options().accumulate, rows = values.size() / width / micro_batches;
    const Share share = share_of(network, rows);
    std::vector<T> own;
    for (size_t i = 0; i < micro_batches; ++i) {
        const std::span<const T> part = share.of(values.subspan(i * rows * width, rows * width), width);
        own.insert(own.end(), part.begin(), part.end());
    }
    return own;
}

void append(std::vector<float>& values, const std::vector<float>& more) {
    values.insert(values.end(), more.begin(), more.end());
}

void add(std::vector<float>& sum, const std::vector<float>& part) {
    std::transform(sum.begin(), sum.end(), part.begin(), sum.begin(), std::plus<>());
}

/// Replicas that have normalized with the same statistics have normalized one batch.
void join(vknorm::NormCapture& all, const vknorm::NormCapture& part) {
    using Capture = vknorm::NormCapture;
    if (part.mean != all.mean || part.inv_std != all.inv_std) return;
    all.rows += part.rows;
    for (std::vector<float> Capture::*const rows : {&Capture::x, &Capture::y, &Capture::dy, &Capture::dx})
        append(all.*rows, part.*rows);
    for (std::vector<float> Capture::*const gradient : {&Capture::dgamma, &Capture::dbeta})
        add(all.*gradient, part.*gradient);
}

}  // namespace

/// What a network knows as its exchange: in each call that of the thread that it is in.
class Replicas::Seat final : public vknorm::Exchange {
  public:
    Seat(uint32_t rank, uint32_t size) : rank_(rank), size_(size) {}

    void take(vknorm::Exchange& exchange) { now_ = &exchange; }

    uint32_t rank() const override { return rank_; }
    uint32_t size() const override { return size_; }
    std::vector<Message> trade(std::span<const MessageView> messages) override {
        return now_->trade(messages);
    }
    void abort(const std::string& why) noexcept override { now_->abort(why); }

  private:
    uint32_t rank_, size_;
    vknorm::Exchange* now_ = nullptr;
};

Replicas::Replicas(uint32_t count, vknorm::Exchange* exchange, const Make& make) : tickets_(count) {
    for (uint32_t rank = 0; rank < count; ++rank) {
        if (count > 1) seats_.push_back(std::make_unique<Seat>(rank, count));
        networks_.push_back(make(count > 1 ? seats_.back().get() : exchange));
    }
}

Replicas::Replicas(Replicas&&) noexcept = default;
Replicas& Replicas::operator=(Replicas&&) noexcept = default;
Replicas::~Replicas() = default;

void Replicas::each(const std::function<void(vknorm::Network&)>& call) {
    for (vknorm::Network& network : networks_) call(network);
}

void Replicas::all(const std::function<void(vknorm::Network&, size_t)>& call) {
    if (seats_.empty()) return call(first(), 0);
    vknorm::run_ranks(static_cast<uint32_t>(seats_.size()), [&](vknorm::Exchange& exchange) {
        const uint32_t rank = exchange.rank();
        seats_[rank]->take(exchange);
        call(networks_[rank], rank);
    });
}

void Replicas::set_probes(std::vector<vknorm::NetworkProbe> probes) {
    probes_ = std::move(probes);
    each([&](vknorm::Network& network) { network.set_probes(probes_); });
}

void Replicas::train_step(std::span<const float> inputs, std::span<const uint32_t> labels) {
    all([&](vknorm::Network& network, size_t replica) {
        const vknorm::NetworkOptions& options = network.options();
        tickets_[replica] = options.exchange == nullptr
                                ? network.train_step(inputs, labels)
                                : network.train_step(share_of_step(network, inputs, options.inputs),
                                                     share_of_step(network, labels, 1));
    });
}

vknorm::StepResult Replicas::result() {
    vknorm::StepResult result = first().result(tickets_.front());
    if (networks_.size() == 1) return result;
    std::map<std::string, std::vector<vknorm::ProbeResult>> parts;
    for (auto& [name, probe] : result.probes) parts[name] = {std::move(probe)};
    for (size_t replica = 1; replica < networks_.size(); ++replica) {
        const vknorm::StepResult its = networks_[replica].result(tickets_[replica]);
        for (const auto& [name, probe] : its.probes) parts[name].push_back(probe);
        for (const auto& [norm, capture] : its.captured) join(result.captured[norm], capture);
    }
    for (const vknorm::NetworkProbe& probe : probes_)
        result.probes[probe.name()] = vknorm::merged(parts[probe.name()], probe.options);
    return result;
}

vknorm::Evaluation Replicas::evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                                      vknorm::Statistics statistics, uint32_t chunk) {
    vknorm::Evaluation evaluation;
    all([&](vknorm::Network& network, size_t replica) {
        const Share share = share_of(network, labels.size(), std::max(chunk, 1u));
        const vknorm::Evaluation its = network.evaluate(share.of(inputs, network.options().inputs),
                                                        share.of(labels, 1), statistics, chunk);
        if (replica == 0) evaluation = its;
    });
    return evaluation;
}

void Replicas::recompute_running_statistics(std::span<const float> inputs) {
    all([&](vknorm::Network& network, size_t) {
        const uint32_t width = network.options().inputs;
        network.recompute_running_statistics(share_of(network, inputs.size() / width).of(inputs, width));
    });
}

}  // namespace lab
