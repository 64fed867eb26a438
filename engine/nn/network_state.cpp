#include "nn/network_state.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "data/hash.hpp"
#include "ops/arguments.hpp"

namespace vknorm::detail {

namespace {

constexpr const char* operation = "network.set_state";
const std::string optimizer_prefix = std::string(training_prefix) + "optimizer/";

/// The counters of a run, which live on the host; and the most that each may be.
struct ProgressCounter {
    std::string name;
    uint64_t value;
    uint64_t most = std::numeric_limits<int64_t>::max();
};
std::vector<ProgressCounter> counters_of(const Training::Progress& progress) {
    const std::string prefix = training_prefix;
    return {{prefix + "steps", progress.steps},
            {optimizer_prefix + "steps", progress.optimizer_steps},
            {prefix + "refused_batches", progress.refused_batches, std::numeric_limits<uint32_t>::max()}};
}

/// A tensor of the state, and where the device has it.
struct StateTensor {
    std::string name;
    TensorShape shape;
    BufferView view;
    BufferView working{};  ///< of running statistics, which are there twice
    bool counter = false, variance = false;
};

std::vector<StateTensor> tensors_of(const Store& store, const Training& training, bool with_training) {
    std::vector<StateTensor> tensors;
    const std::vector<StoreLayout::Entry> entries = store.layout.state();
    const auto is_parameter = [](const StoreLayout::Entry& entry) {
        return entry.stored.group <= TensorGroup::affine;
    };
    for (const StoreLayout::Entry& entry : entries) {
        const bool parameter = is_parameter(entry);
        tensors.push_back({.name = entry.name(),
                           .shape = entry.shape,
                           .view = parameter ? store.parameter(entry.stored) : store.running(entry.stored),
                           .working = parameter ? BufferView{} : store.updated(entry.stored),
                           .counter = entry.stored.group == TensorGroup::counters,
                           .variance = entry.tensor == "running_var"});
    }
    if (!with_training) return tensors;
    for (const Training::Moment& moment : training.moments())
        for (const StoreLayout::Entry& entry : entries)
            if (is_parameter(entry))
                tensors.push_back({.name = optimizer_prefix + moment.name + "/" + entry.name(),
                                   .shape = entry.shape,
                                   .view = view_of(moment.values, store.layout.range(entry.stored))});
    return tensors;
}

bool has_training_state(const HostTensors& state) {
    return std::any_of(state.begin(), state.end(),
                       [](const auto& tensor) { return is_training_state(tensor.first); });
}

/// "WHAT a, b, c", of many the first ones; empty for none.
std::string listed(const char* what, const std::vector<std::string>& names) {
    constexpr size_t most = 20;
    std::string text;
    for (size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? what : ", ") + names[i];
    if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
    return text;
}

bool is_floating(Dtype dtype) {
    return dtype == Dtype::f64 || dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// What is wrong with a tensor that is announced so; empty: nothing.
std::string misfit(const std::string& name, const HostTensor& got, bool counter, const TensorShape& shape) {
    const bool fits = counter ? got.dtype == Dtype::i64 : is_floating(got.dtype);
    if (fits && got.shape == shape) return "";
    return name + ": got " + name_of(got.dtype) + " " + shape_text(got.shape) + ", needs " +
           (counter ? "I64" : "F32, F64, F16 or BF16") + " " + shape_text(shape);
}

int64_t count_of(const HostTensor& tensor, const std::string& name, uint64_t most) {
    const int64_t count = tensor.integers().at(0);
    if (count < 0 || static_cast<uint64_t>(count) > most)
        refuse(operation, name, std::to_string(count), "an integer from 0 to " + std::to_string(most));
    return count;
}

std::vector<std::byte> bytes_of(const HostTensor& tensor, const StateTensor& target) {
    if (target.counter) {
        (void)count_of(tensor, target.name, std::numeric_limits<int64_t>::max());
        return tensor.bytes;
    }
    const std::vector<float> values = tensor.floats();
    for (size_t i = 0; i < values.size(); ++i)
        if (!std::isfinite(values[i]) || (target.variance && values[i] < 0))
            refuse(operation, target.name + "[" + std::to_string(i) + "]", std::to_string(values[i]),
                   target.variance ? "a finite number from 0 on" : "a finite number");
    const auto bytes = std::as_bytes(std::span(values));
    return {bytes.begin(), bytes.end()};
}

}  // namespace

bool is_beside_state_dict(const std::string& name) {
    return name.starts_with(training_prefix);
}

bool is_training_state(const std::string& name) {
    if (name.starts_with(optimizer_prefix)) return true;
    const std::vector<ProgressCounter> counters = counters_of({});
    return std::any_of(counters.begin(), counters.end(),
                       [&](const ProgressCounter& counter) { return counter.name == name; });
}

HostTensors read_state(const Store& store, Training& training, Stream& stream, bool with_training) {
    training.settle();
    HostTensors state;
    for (const StateTensor& tensor : tensors_of(store, training, with_training)) {
        if (is_beside_state_dict(tensor.name) != is_training_state(tensor.name))
            refuse("network.state", "graph", "a node whose tensor is \"" + tensor.name + "\"",
                   std::string("names that do not begin with ") + training_prefix);
        HostTensor& host = state[tensor.name];
        host.dtype = tensor.counter ? Dtype::i64 : Dtype::f32;
        host.shape = tensor.shape;
        host.bytes = stream.download<std::byte>(tensor.view);
    }
    if (!with_training) return state;
    for (const ProgressCounter& counter : counters_of(training.progress())) {
        const std::vector<int64_t> value = {static_cast<int64_t>(counter.value)};
        state[counter.name] = HostTensor(TensorShape{}, std::span(value));
    }
    return state;
}

void check_state(const Store& store, const Training& training, const HostTensors& state) {
    std::vector<std::string> missing, misfits, unexpected;
    std::map<std::string, bool> known;
    const auto check = [&](const std::string& name, bool counter, const TensorShape& shape) {
        known[name] = true;
        const auto got = state.find(name);
        if (got == state.end())
            missing.push_back(name);
        else if (const std::string wrong = misfit(name, got->second, counter, shape); !wrong.empty())
            misfits.push_back(wrong);
    };
    const bool with_training = has_training_state(state);
    for (const StateTensor& tensor : tensors_of(store, training, with_training))
        check(tensor.name, tensor.counter, tensor.shape);
    if (with_training)
        for (const ProgressCounter& counter : counters_of({})) check(counter.name, true, {});
    for (const auto& [name, unused] : state)
        if (!known.contains(name) && (!is_beside_state_dict(name) || is_training_state(name)))
            unexpected.push_back(name);
    std::string wrong;
    for (const std::string& list :
         {listed("missing ", missing), listed("unexpected ", unexpected), listed("", misfits)})
        if (!list.empty()) wrong += (wrong.empty() ? "" : "; ") + list;
    if (wrong.empty()) return;
    const auto of_optimizer = [](const std::string& name) { return name.starts_with(optimizer_prefix); };
    if (std::any_of(missing.begin(), missing.end(), of_optimizer) ||
        std::any_of(unexpected.begin(), unexpected.end(), of_optimizer))
        wrong += "; set_optimizer() must have said what the optimizer is";
    throw std::invalid_argument(std::string(operation) + ": " + wrong);
}

void write_state(const Store& store, Training& training, Stream& stream, const HostTensors& state) {
    check_state(store, training, state);
    const bool with_training = has_training_state(state);
    std::vector<std::pair<StateTensor, std::vector<std::byte>>> contents;
    for (StateTensor& tensor : tensors_of(store, training, with_training)) {
        std::vector<std::byte> bytes = bytes_of(state.at(tensor.name), tensor);
        contents.emplace_back(std::move(tensor), std::move(bytes));
    }
    std::vector<int64_t> counts;
    if (with_training)
        for (const ProgressCounter& counter : counters_of({}))
            counts.push_back(count_of(state.at(counter.name), counter.name, counter.most));
    training.recover();
    for (const auto& [tensor, bytes] : contents) {
        stream.upload(tensor.view, std::span<const std::byte>(bytes));
        if (tensor.working) stream.upload(tensor.working, std::span<const std::byte>(bytes));
    }
    stream.submit();
    if (with_training)
        training.set_progress({.steps = static_cast<uint64_t>(counts[0]),
                               .optimizer_steps = static_cast<uint64_t>(counts[1]),
                               .refused_batches = static_cast<uint32_t>(counts[2])});
}

void compare_states(Exchange& exchange, const std::string& where, const HostTensors& state) {
    std::vector<uint64_t> hashes;
    for (const auto& [name, tensor] : state) {
        Fnv1a hash;
        for (const std::byte byte : tensor.bytes) hash.add(std::to_integer<uint64_t>(byte));
        hashes.push_back(hash.value());
    }
    const std::vector<Exchange::Message> all = gather(exchange, where, std::as_bytes(std::span(hashes)));
    for (size_t r = 1; r < all.size(); ++r) {
        if (all[r].size() != all[0].size())
            throw ExchangeError(where + ": rank " + std::to_string(r) + " has another graph than rank 0");
        size_t i = 0;
        for (const auto& [name, tensor] : state) {
            const size_t at = sizeof(uint64_t) * i++;
            if (std::memcmp(all[r].data() + at, all[0].data() + at, sizeof(uint64_t)) != 0)
                throw ExchangeError(where + ": \"" + name + "\" of rank " + std::to_string(r) +
                                    " is not that of rank 0");
        }
    }
}

}  // namespace vknorm::detail
