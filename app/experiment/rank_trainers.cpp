#include "app/experiment/rank_trainers.hpp"

namespace lab {

/// What a trainer knows as its exchange: in each call that of the thread that it is in.
class RankTrainers::Seat final : public vknorm::Exchange {
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

RankTrainers::RankTrainers(vknorm::Device& device, const Settings& settings, const RunData& data,
                           uint32_t ranks) {
    for (uint32_t rank = 0; rank < ranks; ++rank) {
        if (ranks > 1) seats_.push_back(std::make_shared<Seat>(rank, ranks));
        trainers_.push_back(
            std::make_unique<Trainer>(device, settings, data, ranks > 1 ? seats_.back().get() : nullptr));
    }
}

void RankTrainers::all(const std::function<void(Trainer&)>& call) {
    if (seats_.empty()) return call(first());
    vknorm::run_ranks(static_cast<uint32_t>(seats_.size()), [&](vknorm::Exchange& exchange) {
        seats_[exchange.rank()]->take(exchange);
        call(*trainers_[exchange.rank()]);
    });
}

}  // namespace lab
