// Sets are divided, standardized and visited.
#include "data/dataset.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include <vknorm/data.hpp>

namespace vknorm {
namespace {

void require_consistent(const std::string& where, const Dataset& data) {
    if (data.inputs.size() != data.size() * data.features)
        throw std::invalid_argument(where + ": got " + std::to_string(data.inputs.size()) +
                                    " values, needs " + std::to_string(data.size()) + " x " +
                                    std::to_string(data.features));
}

}  // namespace

void detail::require_size(const std::string& operation, size_t size, size_t most) {
    if (size < 1 || size > most)
        throw std::invalid_argument(operation + ": size: got " + std::to_string(size) + ", needs 1 to " +
                                    std::to_string(most));
}

std::vector<uint32_t> detail::balanced_labels(size_t size, uint32_t classes, Random& random) {
    std::vector<uint32_t> labels(size);
    for (size_t i = 0; i < size; ++i) labels[i] = static_cast<uint32_t>(i % classes);
    random.shuffle(labels);
    return labels;
}

Dataset pick(const Dataset& data, std::span<const uint32_t> indices) {
    require_consistent("pick: data", data);
    Dataset part{.features = data.features,
                 .classes = data.classes,
                 .image_width = data.image_width,
                 .image_height = data.image_height,
                 .class_names = data.class_names,
                 .image_channels = data.image_channels};
    part.inputs.reserve(indices.size() * data.features);
    part.labels.reserve(indices.size());
    for (const uint32_t index : indices) {
        if (index >= data.size())
            throw std::invalid_argument("pick: indices: got " + std::to_string(index) + ", needs less than " +
                                        std::to_string(data.size()));
        const auto example = data.example(index);
        part.inputs.insert(part.inputs.end(), example.begin(), example.end());
        part.labels.push_back(data.labels[index]);
    }
    return part;
}

std::pair<Dataset, Dataset> split(const Dataset& data, size_t first, uint64_t seed) {
    require_consistent("split: data", data);
    if (first > data.size())
        throw std::invalid_argument("split: first: got " + std::to_string(first) + ", needs at most " +
                                    std::to_string(data.size()));
    std::vector<uint32_t> order(data.size());
    std::iota(order.begin(), order.end(), 0u);
    detail::Random(seed, detail::Purpose::split).shuffle(order);
    const std::span all(order);
    return {pick(data, all.first(first)), pick(data, all.subspan(first))};
}

void standardize(Dataset& train, Dataset& test) {
    require_consistent("standardize: train", train);
    require_consistent("standardize: test", test);
    if (train.size() == 0)
        throw std::invalid_argument("standardize: train: got 0 examples, needs at least 1");
    if (test.features != train.features)
        throw std::invalid_argument("standardize: test: got " + std::to_string(test.features) +
                                    " features, needs " + std::to_string(train.features));

    const size_t features = train.features;
    const auto count = static_cast<double>(train.size());
    // What is summed are differences to the first example: a constant feature then has exactly no variance.
    std::vector<double> mean(features), deviation(features);
    for (size_t i = 0; i < train.size(); ++i)
        for (size_t f = 0; f < features; ++f)
            mean[f] += static_cast<double>(train.example(i)[f]) - train.inputs[f];
    for (size_t f = 0; f < features; ++f) mean[f] = train.inputs[f] + mean[f] / count;
    for (size_t i = 0; i < train.size(); ++i)
        for (size_t f = 0; f < features; ++f) {
            const double difference = train.example(i)[f] - mean[f];
            deviation[f] += difference * difference;
        }
    for (double& value : deviation) value = value > 0 ? std::sqrt(value / count) : 1;

    for (Dataset* set : {&train, &test})
        for (size_t i = 0; i < set->size(); ++i)
            for (size_t f = 0; f < features; ++f) {
                float& value = set->inputs[i * features + f];
                value = static_cast<float>((value - mean[f]) / deviation[f]);
            }
}

BatchOrder::BatchOrder(size_t size, size_t batch, uint64_t seed) : batch_(batch), seed_(seed) {
    detail::require_size("BatchOrder", size, std::numeric_limits<uint32_t>::max());
    if (batch < 1 || batch > size)
        throw std::invalid_argument("BatchOrder: batch: got " + std::to_string(batch) + ", needs 1 to " +
                                    std::to_string(size));
    order_.resize(size);
    shuffle();
}

// Every epoch's order depends on the seed and its number only.
void BatchOrder::shuffle() {
    std::iota(order_.begin(), order_.end(), 0u);
    detail::Random(seed_, detail::Purpose::batches, epoch_).shuffle(order_);
}

std::span<const uint32_t> BatchOrder::next() {
    if (order_.empty()) throw std::invalid_argument("BatchOrder: was moved from");
    if (order_.size() - position_ < batch_) {
        ++epoch_;
        position_ = 0;
        shuffle();
    }
    const auto batch = std::span<const uint32_t>(order_).subspan(position_, batch_);
    position_ += batch_;
    return batch;
}

uint64_t BatchOrder::taken() const {
    return epoch_ * (order_.size() / batch_) + position_ / batch_;
}

void BatchOrder::seek(uint64_t batches) {
    if (order_.empty()) throw std::invalid_argument("BatchOrder: was moved from");
    // An epoch ends when the first batch of the next one is asked for.
    const uint64_t per_epoch = order_.size() / batch_,
                   complete = batches == 0 ? 0 : (batches - 1) / per_epoch;
    position_ = (batches - complete * per_epoch) * batch_;
    epoch_ = complete;
    shuffle();
}

double BatchOrder::epoch() const {
    const size_t taken_per_epoch = order_.size() / batch_ * batch_;
    return static_cast<double>(epoch_) +
           static_cast<double>(position_) / static_cast<double>(taken_per_epoch);
}

}  // namespace vknorm
