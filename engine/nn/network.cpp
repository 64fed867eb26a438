// The public face of training and evaluation: checks arguments, so that nothing happens when one is wrong.
#include "vknorm/network.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include <vknorm/fold.hpp>

#include "nn/evaluator.hpp"
#include "nn/folding.hpp"
#include "nn/network_arguments.hpp"
#include "nn/network_state.hpp"
#include "nn/shared_step.hpp"
#include "nn/summary.hpp"
#include "nn/training.hpp"
#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using Entry = detail::StoreLayout::Entry;
using detail::refuse;
using detail::TensorGroup;

namespace {

/// Whether float32 has that number.
bool holds(uint64_t count) {
    return count == 0 ||
           std::bit_width(count) - std::countr_zero(count) <= std::numeric_limits<float>::digits;
}

/// What the network counts beside what its norms count.
constexpr const char* steps_name = "steps";

}  // namespace

Graph perceptron(const NetworkOptions& options) {
    Graph graph({options.inputs});
    NodeId x = graph.input();
    for (size_t i = 0; i < options.hidden.size(); ++i) {
        const HiddenLayer& hidden = options.hidden[i];
        const std::string prefix = std::to_string(i) + ".";
        x = graph.linear(x, {.units = hidden.units, .name = prefix + "linear"});
        const auto activate = [&] {
            x = graph.activation(x, {.function = hidden.activation, .name = prefix + "activation"});
        };
        if (hidden.order == NormOrder::after_activation) activate();
        if (hidden.norm != Norm::none)
            x = graph.norm(x, {.kind = hidden.norm,
                               .groups = hidden.groups,
                               .ghost_size = hidden.ghost_size,
                               .name = prefix + "norm"});
        if (hidden.order == NormOrder::before_activation) activate();
    }
    graph.linear(x, {.units = options.classes, .name = "output"});
    return graph;
}

std::string NetworkProbe::name() const {
    if (!called.empty()) return called;
    const std::string name = node + (tensor == Tensor::output            ? ".output"
                                     : tensor == Tensor::output_gradient ? ".output_gradient"
                                                                         : ".normalized");
    return options.unit < 0 ? name : name + "[" + std::to_string(options.unit) + "]";
}

struct Network::State {
    State(Device& owner, Graph given, const NetworkOptions& asked)
        : device(owner),
          graph(std::move(given)),
          options(detail::options_for(graph, asked)),
          device_graph(device, graph, options),
          training(device, device_graph, stream),
          evaluator(device, device_graph, stream),
          stream(device, {.timestamps = asked.timestamps}) {
        device_graph.initialize(stream);
        training.initialize();
        stream.submit();
    }

    Device device;
    Graph graph;
    NetworkOptions options;
    detail::DeviceGraph device_graph;
    detail::Training training;
    detail::Evaluator evaluator;
    Stream stream;
    bool compared = false;  ///< with other ranks, at least once

    /// How values go through the network in an evaluation.
    detail::Propagation evaluation(const char* operation, Statistics statistics) const {
        return {.statistics = statistics,
                .renorm = detail::renorm_limits(operation, graph, options, training.steps() + 1)};
    }
    std::optional<Entry> find(const std::string& name) const;
    Entry tensor(const char* operation, const std::string& name) const;
    Entry counter(const char* operation, const std::string& name) const;
    int64_t count(const Entry& counter) { return stream.download<int64_t>(view(counter)).at(0); }
    /// Of a tensor or a counter.
    void set(const Entry& tensor, std::span<const std::byte> contents);
    BufferView view(const Entry& tensor) const {
        const detail::Store& store = device_graph.store();
        const bool parameter = tensor.stored.group <= TensorGroup::affine;
        return parameter ? store.parameter(tensor.stored) : store.running(tensor.stored);
    }
    size_t node(const char* operation, const std::string& name) const;
    /// Runs what all ranks do together: where it fails on this one, the others need not wait.
    template <class Call>
    auto together(const Call& call) {
        try {
            return call();
        } catch (...) {
            if (options.exchange != nullptr) detail::tell_of_failure(*options.exchange, training.steps() + 1);
            throw;
        }
    }
    /// Refuses to go on with ranks that do not have the same state.
    void compare_ranks();
};

std::optional<Entry> Network::State::find(const std::string& name) const {
    const std::vector<Entry> tensors = device_graph.store().layout.state();
    const auto tensor = std::find_if(tensors.begin(), tensors.end(),
                                     [&](const Entry& candidate) { return candidate.name() == name; });
    return tensor == tensors.end() ? std::nullopt : std::optional(*tensor);
}

Entry Network::State::tensor(const char* operation, const std::string& name) const {
    const std::optional<Entry> tensor = find(name);
    if (!tensor) refuse(operation, "name", "\"" + name + "\"", "one of tensor_names()");
    return *tensor;
}

Entry Network::State::counter(const char* operation, const std::string& name) const {
    const Entry counter = tensor(operation, name);
    if (counter.stored.group != TensorGroup::counters)
        refuse(operation, "name", "\"" + name + "\"", "one of counter_names()");
    return counter;
}

void Network::State::set(const Entry& tensor, std::span<const std::byte> contents) {
    training.recover();
    stream.upload(view(tensor), contents);
    if (tensor.stored.group > TensorGroup::affine)
        stream.upload(device_graph.store().updated(tensor.stored), contents);
    stream.submit();
}

size_t Network::State::node(const char* operation, const std::string& name) const {
    const std::optional<size_t> node = device_graph.find(name);
    if (!node) refuse(operation, "node", "\"" + name + "\"", "the name of one of the graph's nodes");
    return *node;
}

void Network::State::compare_ranks() {
    if (options.exchange == nullptr || options.compare_every == 0) return;
    if (training.steps() % options.compare_every != 0 && compared) return;
    compared = true;
    const HostTensors tensors = detail::read_state(device_graph.store(), training, stream, true);
    const std::string where = "step " + std::to_string(training.steps() + 1) + ", comparison";
    detail::compare_states(*options.exchange, where, tensors);
}

Network::Network(Device& device, const Graph& graph, const NetworkOptions& options)
    : state_("Network", std::make_unique<State>(device, graph, detail::without_hidden(options))) {}
Network::Network(Device& device, const NetworkOptions& options)
    : state_("Network", std::make_unique<State>(device, perceptron(options), options)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const NetworkOptions& Network::options() const {
    return state_->options;
}

const Graph& Network::graph() const {
    return state_->graph;
}

Ticket Network::train_step(std::span<const float> inputs, std::span<const uint32_t> labels) {
    const NetworkOptions& options = state_->options;
    const uint32_t least = options.exchange != nullptr ? 0 : options.accumulate,
                   most = options.accumulate * options.max_batch;
    return state_->together([&] {
        if (labels.size() < least || labels.size() > most)
            refuse("network.train_step", "labels", std::to_string(labels.size()) + " rows",
                   std::to_string(least) + " to " + std::to_string(most));
        detail::check_batch("network.train_step", options, inputs, labels);
        detail::Training& training = state_->training;
        const RenormLimits renorm =
            detail::renorm_limits("network.train_step", state_->graph, options, training.steps() + 1);
        state_->compare_ranks();
        return training.step(inputs, labels, renorm);
    });
}

uint64_t Network::join() {
    if (state_->options.exchange == nullptr) return 0;
    return state_->together([&] {
        uint64_t steps = 0;
        for (;; ++steps) {
            state_->compare_ranks();
            if (!state_->training.join()) return steps;
        }
    });
}

StepResult Network::result(Ticket ticket) {
    return state_->training.result(ticket);
}

bool Network::reached(Ticket ticket) {
    return state_->stream.reached(ticket);
}

Evaluation Network::evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                             Statistics statistics, uint32_t chunk) {
    const NetworkOptions& options = state_->options;
    return state_->together([&] {
        detail::check_statistics("network.evaluate", statistics);
        detail::check_batch("network.evaluate", options, inputs, labels);
        if (chunk > options.max_batch)
            refuse("network.evaluate", "chunk", std::to_string(chunk),
                   "0 to max_batch = " + std::to_string(options.max_batch));
        return state_->evaluator.evaluate(inputs, labels, state_->evaluation("network.evaluate", statistics),
                                          chunk == 0 ? options.max_batch : chunk);
    });
}

std::vector<float> Network::predict(std::span<const float> inputs, Statistics statistics) {
    const NetworkOptions& options = state_->options;
    detail::check_statistics("network.predict", statistics);
    detail::check_rows("network.predict", options, inputs);
    return state_->evaluator.predict(inputs, state_->evaluation("network.predict", statistics),
                                     options.max_batch);
}

std::vector<float> Network::output(const std::string& node, std::span<const float> inputs,
                                   Statistics statistics) {
    const NetworkOptions& options = state_->options;
    const size_t number = state_->node("network.output", node);
    detail::check_statistics("network.output", statistics);
    detail::check_rows("network.output", options, inputs);
    return state_->evaluator.output(number, inputs, state_->evaluation("network.output", statistics),
                                    options.max_batch);
}

Network Network::fold() {
    State& own = *state_;
    const detail::Folding folding = detail::fold_norms(own.graph);
    NetworkOptions options = own.options;
    options.hidden.clear();
    options.exchange = nullptr;
    Network folded(own.device, folding.graph, options);
    State& other = *folded.state_;
    own.stream.wait(own.stream.submit());

    Recorder& recorder = other.stream.record();
    const auto find = [&](const std::string& node, const char* tensor) {
        const std::optional<Entry> entry = own.find(node + "." + tensor);
        return entry ? own.view(*entry) : BufferView{};
    };
    for (const Entry& entry : other.device_graph.store().layout.state()) {
        const BufferView source = find(entry.node, entry.tensor.c_str());
        detail::copy(recorder, source, source ? other.view(entry) : BufferView{});
        if (entry.stored.group > TensorGroup::affine)
            detail::copy(recorder, source, other.device_graph.store().updated(entry.stored));
    }
    for (const detail::Folding::Pair& pair : folding.pairs) {
        const Entry weight = other.tensor("network.fold", pair.layer + ".weight"),
                    bias = other.tensor("network.fold", pair.layer + ".bias");
        const auto channels = static_cast<uint32_t>(bias.stored.count);
        fold_batch_norm(recorder,
                        {.channels = channels,
                         .weights_per_channel = static_cast<uint32_t>(weight.stored.count / channels),
                         .epsilon = options.batch_norm.epsilon,
                         .weight = find(pair.layer, "weight"),
                         .bias = find(pair.layer, "bias"),
                         .gamma = find(pair.norm, "weight"),
                         .beta = find(pair.norm, "bias"),
                         .running_mean = find(pair.norm, "running_mean"),
                         .running_var = find(pair.norm, "running_var"),
                         .folded_weight = other.view(weight),
                         .folded_bias = other.view(bias)});
    }
    other.stream.wait(other.stream.submit());
    return folded;
}

void Network::recompute_running_statistics(std::span<const float> inputs, uint32_t chunk) {
    const char* const operation = "network.recompute_running_statistics";
    const NetworkOptions& options = state_->options;
    const size_t least = options.exchange != nullptr ? 0 : 2;  // of all ranks the evaluator knows
    state_->together([&] {
        if (inputs.size() % options.inputs != 0 || inputs.size() < least * options.inputs)
            refuse(operation, "inputs", std::to_string(inputs.size()) + " values",
                   "at least " + std::to_string(least) + " rows of " + std::to_string(options.inputs));
        if (chunk > options.max_batch)
            refuse(operation, "chunk", std::to_string(chunk),
                   "0 to max_batch = " + std::to_string(options.max_batch));
        detail::Propagation how = state_->evaluation(operation, Statistics::batch);
        how.frozen_statistics = state_->training.frozen_statistics();
        state_->evaluator.recompute_running_statistics(inputs, how, chunk == 0 ? options.max_batch : chunk);
    });
}

void Network::prepare(uint32_t rows) {
    const uint32_t most = state_->options.max_batch;
    if (rows > most)
        refuse("network.prepare", "rows", std::to_string(rows), "0 to max_batch = " + std::to_string(most));
    state_->training.prepare(rows == 0 ? most : rows);
    state_->evaluator.prepare(rows == 0 ? most : rows);
}

void Network::set_optimizer(const Optimizer& optimizer) {
    check_optimizer(optimizer);
    detail::Training& training = state_->training;
    if (optimizer.index() != training.options.optimizer.index()) training.reset_optimizer();
    training.options.optimizer = optimizer;
}

void Network::set_learning_rate(float learning_rate) {
    Optimizer optimizer = state_->training.options.optimizer;
    std::visit([&](auto& kind) { kind.learning_rate = learning_rate; }, optimizer);
    set_optimizer(optimizer);
}

void Network::set_max_gradient_norm(float max_norm) {
    if (!(max_norm >= 0) || !std::isfinite(max_norm))
        refuse("network.set_max_gradient_norm", "max_norm", std::to_string(max_norm),
               "a finite number from 0 on");
    state_->training.options.max_gradient_norm = max_norm;
}

void Network::set_batch_norm(const BatchNormConvention& convention) {
    state_->device_graph.set_batch_norm(convention);
    state_->options.batch_norm = convention;
}

void Network::set_statistics(Statistics statistics) {
    detail::check_statistics("network.set_statistics", statistics);
    state_->training.options.statistics = statistics;
}
void Network::set_update_running(bool update) {
    state_->training.options.update_running = update;
}
void Network::set_train_affine(bool train) {
    state_->training.options.train_affine = train;
}

void Network::set_frozen(const Frozen& frozen) {
    const detail::StoreLayout& layout = state_->device_graph.store().layout;
    const auto check = [&](const char* list, const std::string& name, bool fits, const char* what) {
        (void)state_->node("network.set_frozen", name);
        if (!fits) refuse("network.set_frozen", list, "\"" + name + "\"", what);
    };
    for (const std::string& name : frozen.parameters)
        check("parameters", name, layout.has_parameters(name), "a node that has some");
    for (const std::string& name : frozen.statistics)
        check("statistics", name, layout.has_running_statistics(name), "a norm that keeps running ones");
    state_->training.set_frozen(frozen);
}

void Network::set_probes(std::vector<NetworkProbe> probes) {
    const detail::DeviceGraph& graph = state_->device_graph;
    std::set<std::string> names;
    for (const NetworkProbe& probe : probes) {
        const size_t node = state_->node("network.set_probes", probe.node);
        detail::require_value("network.set_probes", "tensor", probe.tensor, Tensor::normalized);
        if (probe.tensor == Tensor::normalized &&
            !std::holds_alternative<NormLayer>(state_->graph.nodes()[node].layer))
            refuse("network.set_probes", "tensor", "what \"" + probe.node + "\" normalizes", "a norm");
        if (probe.tensor == Tensor::output_gradient && !graph.differentiated(node))
            refuse("network.set_probes", "tensor", "the gradient of \"" + probe.node + "\"",
                   "one that training computes: of a node with a parameter at or before it");
        (void)Probe(state_->device, probe.options, state_->options.max_batch, graph.channels(node),
                    graph.positions(node));
        if (!names.insert(probe.name()).second)
            refuse("network.set_probes", "probes", "\"" + probe.name() + "\" twice", "each once");
    }
    state_->training.options.probes = std::move(probes);
}

void Network::set_captured_norms(const std::vector<std::string>& nodes) {
    std::set<size_t> norms;
    for (const std::string& node : nodes) {
        norms.insert(state_->node("network.set_captured_norms", node));
        if (!std::holds_alternative<NormLayer>(state_->graph.nodes()[*state_->device_graph.find(node)].layer))
            refuse("network.set_captured_norms", "nodes", "\"" + node + "\"", "names of norms");
    }
    state_->training.options.captured.assign(norms.begin(), norms.end());
}

void Network::set_timestamps(bool timestamps) {
    state_->stream.set_timestamps(timestamps);
    state_->options.timestamps = timestamps;
}

uint64_t Network::steps() const {
    return state_->training.steps();
}
uint64_t Network::parameter_count() const {
    return state_->device_graph.store().layout.parameter_count();
}

std::string Network::summary() const {
    return detail::summary_of(state_->device_graph, state_->training.optimizer_bytes());
}

std::vector<std::string> Network::tensor_names() const {
    std::vector<std::string> names;
    for (const Entry& tensor : state_->device_graph.store().layout.state()) names.push_back(tensor.name());
    return names;
}

std::vector<float> Network::tensor(const std::string& name) {
    const Entry tensor = state_->tensor("network.tensor", name);
    if (tensor.stored.group != TensorGroup::counters)
        return state_->stream.download<float>(state_->view(tensor));
    const int64_t count = state_->count(tensor);
    if (!holds(static_cast<uint64_t>(count)))
        refuse("network.tensor", name, std::to_string(count) + ", which float32 does not hold",
               "counter(), for integers");
    return {static_cast<float>(count)};
}

void Network::set_tensor(const std::string& name, std::span<const float> values) {
    const Entry tensor = state_->tensor("network.set_tensor", name);
    const bool counter = tensor.stored.group == TensorGroup::counters;
    const bool variance = tensor.tensor == "running_var";
    const uint64_t needed = counter ? 1 : tensor.stored.count;
    if (values.size() != needed)
        refuse("network.set_tensor", name, std::to_string(values.size()) + " values", std::to_string(needed));
    for (size_t i = 0; i < values.size(); ++i) {
        const float value = values[i];
        const bool count = value >= 0 && value < 0x1p63f && value == std::trunc(value);
        if (std::isfinite(value) && (!counter || count) && (!variance || value >= 0)) continue;
        refuse("network.set_tensor", name + "[" + std::to_string(i) + "]", std::to_string(value),
               counter    ? "a count: an integer from 0 on"
               : variance ? "a finite number from 0 on"
                          : "a finite number");
    }
    const int64_t count = counter ? static_cast<int64_t>(values[0]) : 0;
    state_->set(tensor, counter ? std::as_bytes(std::span(&count, 1)) : std::as_bytes(values));
}

std::vector<std::string> Network::counter_names() const {
    std::vector<std::string> names = {steps_name};
    for (const Entry& tensor : state_->device_graph.store().layout.state())
        if (tensor.stored.group == TensorGroup::counters) names.push_back(tensor.name());
    return names;
}

int64_t Network::counter(const std::string& name) {
    if (name == steps_name) return static_cast<int64_t>(state_->training.steps());
    return state_->count(state_->counter("network.counter", name));
}

void Network::set_counter(const std::string& name, int64_t value) {
    if (value < 0) refuse("network.set_counter", name, std::to_string(value), "an integer from 0 on");
    if (name == steps_name)
        state_->training.set_steps(static_cast<uint64_t>(value));
    else
        state_->set(state_->counter("network.set_counter", name), std::as_bytes(std::span(&value, 1)));
}

HostTensors Network::state(bool training) {
    return detail::read_state(state_->device_graph.store(), state_->training, state_->stream, training);
}

void Network::set_state(const HostTensors& state) {
    detail::write_state(state_->device_graph.store(), state_->training, state_->stream, state);
}

void Network::share_state() {
    Exchange* const exchange = state_->options.exchange;
    if (exchange == nullptr) return;
    state_->together([&] {
        HostTensors tensors = state();
        for (auto& [name, tensor] : tensors)
            broadcast(*exchange, "network.share_state, " + name, tensor.bytes);
        set_state(tensors);
    });
}

void Network::check_state(const HostTensors& state) const {
    detail::check_state(state_->device_graph.store(), state_->training, state);
}

std::vector<Timing> Network::timings(Ticket ticket) {
    return state_->stream.timings(ticket);
}

std::string Network::explain(const std::string& node, uint32_t rows) const {
    const uint32_t most = state_->options.max_batch;
    const size_t number = state_->node("network.explain", node);
    if (rows == 0 || rows > most)
        refuse("network.explain", "rows", std::to_string(rows), "1 to " + std::to_string(most));
    return state_->device_graph.explain(number, rows);
}

}  // namespace vknorm
