#include "nn/store_layout.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "data/random.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

constexpr uint64_t alignment = 256 / 4;  // elements

bool is_parameter(const StoreLayout::Entry& entry) {
    return entry.stored.group <= TensorGroup::affine;
}

}  // namespace

StoredTensor StoreLayout::take(TensorGroup group, const std::string& node, const char* tensor, uint64_t count,
                               const InitialValues& initial) {
    uint64_t& size = sizes_[static_cast<size_t>(group)];
    const StoredTensor stored{group, size, count};
    size = round_up<uint64_t>(size + count, alignment);
    entries_.push_back({node, tensor, stored, initial, {}});
    if (group != TensorGroup::counters) entries_.back().shape = {count};
    return stored;
}

StoredTensor StoreLayout::take(TensorGroup group, const std::string& node, const char* tensor,
                               const std::vector<uint64_t>& shape, const InitialValues& initial) {
    const uint64_t count = std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
    const StoredTensor stored = take(group, node, tensor, count, initial);
    entries_.back().shape = shape;
    return stored;
}

uint64_t StoreLayout::base(TensorGroup group) const {
    switch (group) {
        case TensorGroup::weights:
        case TensorGroup::running:
        case TensorGroup::watched:
            return 0;  // each begins a buffer
        case TensorGroup::affine:
        case TensorGroup::counters:
        case TensorGroup::reported:
        case TensorGroup::kept:
            break;
    }
    const auto previous = static_cast<TensorGroup>(static_cast<int>(group) - 1);
    return base(previous) + size(previous);
}

std::vector<StoreLayout::Entry> StoreLayout::state() const {
    std::vector<Entry> state;
    std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(state),
                 [](const Entry& entry) { return entry.stored.group < TensorGroup::watched; });
    return state;
}

const StoreLayout::Entry* StoreLayout::find(TensorGroup group, uint64_t element) const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
        return candidate.stored.group == group && range(candidate.stored).holds(element);
    });
    return entry == entries_.end() ? nullptr : &*entry;
}

std::vector<Range> StoreLayout::parameters_without(const std::set<std::string>& frozen,
                                                   TensorGroup last) const {
    std::vector<Range> ranges;
    for (TensorGroup group = TensorGroup::weights; group <= last;
         group = static_cast<TensorGroup>(static_cast<int>(group) + 1))
        for (const Entry& entry : entries_) {
            if (entry.stored.group != group || frozen.contains(entry.node)) continue;
            const Range own{range(entry.stored).first, round_up<uint64_t>(entry.stored.count, alignment)};
            if (!ranges.empty() && ranges.back().end() == own.first)
                ranges.back().count += own.count;
            else
                ranges.push_back(own);
        }
    return ranges;
}

uint64_t StoreLayout::parameter_count() const {
    uint64_t count = 0;
    for (const Entry& entry : entries_)
        if (is_parameter(entry)) count += entry.stored.count;
    return count;
}

uint64_t StoreLayout::parameter_count(const std::string& node) const {
    uint64_t count = 0;
    for (const Entry& entry : entries_)
        if (entry.node == node && is_parameter(entry)) count += entry.stored.count;
    return count;
}

bool StoreLayout::has_running_statistics(const std::string& node) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.node == node && entry.stored.group == TensorGroup::running;
    });
}

std::vector<float> initial_parameters(const StoreLayout& layout, uint64_t seed, float scale) {
    std::vector<float> values(layout.parameters().count);
    uint64_t random_nodes = 0;
    const std::string* node = nullptr;  // that of `random`
    std::optional<Random> random;
    for (const StoreLayout::Entry& entry : layout.entries()) {
        if (!is_parameter(entry)) continue;
        const auto first = values.begin() + static_cast<ptrdiff_t>(layout.range(entry.stored).first);
        if (entry.initial.fan_in == 0) {
            std::fill_n(first, entry.stored.count, entry.initial.value);
            continue;
        }
        if (node == nullptr || *node != entry.node) {
            node = &entry.node;
            random.emplace(Random(seed + random_nodes++ * 0xd1342543de82ef95).bits());
        }
        const double reach = double{scale} / std::sqrt(static_cast<double>(entry.initial.fan_in));
        std::generate_n(first, entry.stored.count,
                        [&] { return static_cast<float>(reach * random->uniform(-1, 1)); });
    }
    return values;
}

std::vector<uint32_t> initial_running(const StoreLayout& layout) {
    std::vector<uint32_t> words(layout.running_words().count);
    for (const StoreLayout::Entry& entry : layout.entries()) {
        if (entry.stored.group != TensorGroup::running) continue;
        const auto first = words.begin() + static_cast<ptrdiff_t>(layout.range(entry.stored).first);
        std::fill_n(first, entry.stored.count, std::bit_cast<uint32_t>(entry.initial.value));
    }
    return words;
}

}  // namespace vknorm::detail
