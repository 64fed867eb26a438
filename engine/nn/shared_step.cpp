#include "nn/shared_step.hpp"

#include <algorithm>
#include <cstring>

#include "nn/micro_batches.hpp"

namespace vknorm::detail {

void tell_of_failure(Exchange& exchange, uint64_t step) {
    try {
        throw;
    } catch (const RefusedByAll&) {
    } catch (const Diverged&) {
    } catch (const ExchangeError& error) {
        exchange.abort(error.what());
    } catch (const std::exception& error) {
        exchange.abort("rank " + std::to_string(exchange.rank()) + ", step " + std::to_string(step) + ": " +
                       error.what());
    }
}

SharedStep::SharedStep(Exchange* exchange, const std::string& step, const RankShare& own) : parts_{own} {
    if (exchange == nullptr) return;
    parts_.clear();
    for (const Exchange::Message& message :
         gather(*exchange, step + ", begin", std::as_bytes(std::span(&own, 1))))
        std::memcpy(&parts_.emplace_back(), message.data(), std::min(message.size(), sizeof(RankShare)));
    for (size_t r = 0; r < parts_.size(); ++r)
        if (parts_[r].joined == 0 && parts_[r].learning_rate != learning_rate())
            throw RefusedByAll("network.train_step: learning_rate: got " +
                               std::to_string(parts_[r].learning_rate) + " on rank " + std::to_string(r) +
                               ", needs " + std::to_string(learning_rate()) + " as on the ranks before");
}

bool SharedStep::all_joined() const {
    return std::all_of(parts_.begin(), parts_.end(), [](const RankShare& part) { return part.joined != 0; });
}

uint64_t SharedStep::rows() const {
    uint64_t rows = 0;
    for (const RankShare& part : parts_) rows += part.rows;
    return rows;
}

float SharedStep::weight_sum() const {
    double sum = 0;
    for (const RankShare& part : parts_) sum += part.weight_sum;
    return static_cast<float>(sum);
}

float SharedStep::learning_rate() const {
    const auto first =
        std::find_if(parts_.begin(), parts_.end(), [](const RankShare& part) { return part.joined == 0; });
    return first == parts_.end() ? 0 : first->learning_rate;
}

std::vector<uint64_t> SharedStep::rows_of_groups(uint32_t group_size, size_t micro_batch,
                                                 uint32_t count) const {
    const size_t together = group_size == 0 ? parts_.size() : group_size;
    std::vector<uint64_t> rows((parts_.size() + together - 1) / together);
    for (size_t r = 0; r < parts_.size(); ++r)
        rows[r / together] += micro_batches(parts_[r].rows, count)[micro_batch].rows;
    return rows;
}

StepSums add_up(Exchange& exchange, const std::string& where, const StepSums& own,
                std::vector<uint32_t>& words) {
    std::vector<std::byte> message(sizeof(StepSums) + words.size() * sizeof(uint32_t));
    std::memcpy(message.data(), &own, sizeof(StepSums));
    std::memcpy(message.data() + sizeof(StepSums), words.data(), words.size() * sizeof(uint32_t));
    StepSums sums;
    for (const Exchange::Message& its : gather(exchange, where, message)) {
        if (its.size() != message.size()) throw ExchangeError(where + ": ranks have different graphs");
        StepSums part;
        std::memcpy(&part, its.data(), sizeof(StepSums));
        sums.loss += part.loss;
        sums.correct += part.correct;
        sums.rows += part.rows;
        for (size_t i = 0; i < words.size(); ++i) {
            uint32_t word = 0;
            std::memcpy(&word, its.data() + sizeof(StepSums) + i * sizeof(word), sizeof(word));
            words[i] = std::min(words[i], word);
        }
    }
    return sums;
}

}  // namespace vknorm::detail
