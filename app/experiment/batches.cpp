#include "app/experiment/batches.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lab {

Batches::Batches(const vknorm::Dataset& data, const Settings& settings)
    : order_(data.size(), examples_per_step(settings), settings.seed),
      seed_(settings.seed),
      classes_together_(settings.batch_classes),
      batch_(settings.batch) {
    if (classes_together_ == 0) return;
    by_class_.resize(data.classes);
    for (uint32_t i = 0; i < data.size(); ++i) by_class_[data.labels[i]].push_back(i);
    std::erase_if(by_class_, [](const auto& examples) { return examples.empty(); });
}

std::vector<uint32_t> Batches::next() {
    const std::span<const uint32_t> any = order_.next();
    if (classes_together_ == 0 || classes_together_ >= by_class_.size()) return {any.begin(), any.end()};
    return of_few_classes(any.size());
}

// Only the generator's numbers are used, which are the same everywhere, and none of the library's
// distributions, which are not.
std::vector<uint32_t> Batches::of_few_classes(size_t count) const {
    std::mt19937_64 random(seed_ * 0x9e3779b97f4a7c15u + order_.taken());
    std::vector<uint32_t> examples, order(by_class_.size());
    std::iota(order.begin(), order.end(), 0u);
    for (size_t i = 0; i < count; ++i) {
        // Each of the batches of a step has classes of its own.
        const size_t place = i % batch_ % classes_together_;
        if (i % batch_ < classes_together_)
            std::swap(order[place], order[place + random() % (order.size() - place)]);
        const std::vector<uint32_t>& choice = by_class_[order[place]];
        examples.push_back(choice[random() % choice.size()]);
    }
    return examples;
}

void Batches::seek(uint64_t batches) {
    order_.seek(batches);
}

}  // namespace lab
