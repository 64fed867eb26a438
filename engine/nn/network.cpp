// The public face of the trainer: checks arguments, so that nothing happens when one is wrong.
#include "vknorm/network.hpp"

#include <algorithm>
#include <cmath>

#include "nn/evaluator.hpp"
#include "nn/trainer.hpp"
#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using detail::NamedTensor;
using detail::refuse;

namespace {

void check_batch(const char* operation, const NetworkOptions& options, std::span<const float> inputs,
                 std::span<const uint32_t> labels) {
    const uint64_t needed = uint64_t{labels.size()} * options.inputs;
    if (inputs.size() != needed)
        refuse(operation, "inputs", std::to_string(inputs.size()) + " values",
               std::to_string(labels.size()) + " rows of " + std::to_string(options.inputs) + " = " +
                   std::to_string(needed));
    const auto bad =
        std::find_if(labels.begin(), labels.end(), [&](uint32_t label) { return label >= options.classes; });
    if (bad != labels.end())
        refuse(operation, "labels[" + std::to_string(bad - labels.begin()) + "]", std::to_string(*bad),
               "below " + std::to_string(options.classes));
}

/// Refuses a number of rows of which a norm would find one alone, without a variance.
void check_rows(const NetworkOptions& options, uint64_t rows) {
    for (const HiddenLayer& layer : options.hidden) {
        if (!keeps_running_statistics(layer.norm)) continue;
        if (rows == 1)
            throw std::invalid_argument(
                "network.train_step: expected more than 1 value per channel when training, got input size "
                "[1, " +
                std::to_string(layer.units) + "]");
        if (layer.norm == Norm::ghost && rows % layer.ghost_size == 1)
            refuse("network.train_step", "labels", std::to_string(rows) + " rows",
                   "a number that leaves no single row for the last ghost of " +
                       std::to_string(layer.ghost_size));
    }
}

/// Those of a step, if a layer asks for them.
RenormLimits renorm_limits(const char* operation, const NetworkOptions& options, uint64_t step) {
    if (std::none_of(options.hidden.begin(), options.hidden.end(),
                     [](const HiddenLayer& layer) { return layer.norm == Norm::batch_renorm; }))
        return {};
    const RenormLimits limits = options.renorm(step);
    if (!(limits.r_max >= 1))
        refuse(operation, "renorm", "r_max " + std::to_string(limits.r_max), "at least 1");
    if (!(limits.d_max >= 0))
        refuse(operation, "renorm", "d_max " + std::to_string(limits.d_max), "at least 0");
    return limits;
}

}  // namespace

struct Network::State {
    State(Device& owner, const NetworkOptions& asked)
        : device(owner),
          options(asked),
          model(owner, asked),
          trainer(owner, asked, model, stream),
          evaluator(owner, asked, model, stream),
          stream(owner, {.timestamps = asked.timestamps}) {
        model.initialize(stream, asked.seed, asked.init_scale);
        trainer.initialize();
        stream.submit();
    }

    Device& device;
    NetworkOptions options;
    detail::Model model;
    detail::Trainer trainer;
    detail::Evaluator evaluator;
    Stream stream;  // last, so that it is destroyed first: that waits for what uses the buffers of the others

    /// How an evaluation goes through the model.
    detail::Pass evaluation(const char* operation, Statistics statistics) const {
        return {.statistics = statistics, .renorm = renorm_limits(operation, options, trainer.steps() + 1)};
    }
    NamedTensor find(const char* operation, const std::string& name) const;
    BufferView view(const NamedTensor& tensor) const {
        const bool parameter = tensor.home == NamedTensor::Home::parameters;
        return view_of(parameter ? model.store().parameters : model.store().committed, tensor.range);
    }
};

NamedTensor Network::State::find(const char* operation, const std::string& name) const {
    const std::vector<NamedTensor> tensors = detail::named_tensors(model.layout());
    const auto tensor = std::find_if(tensors.begin(), tensors.end(),
                                     [&](const NamedTensor& candidate) { return candidate.name == name; });
    if (tensor == tensors.end()) refuse(operation, "name", "\"" + name + "\"", "one of tensor_names()");
    return *tensor;
}

Network::Network(Device& device, const NetworkOptions& options)
    : state_(std::make_unique<State>(device, options)) {}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

const NetworkOptions& Network::options() const {
    return state_->options;
}

Ticket Network::train_step(std::span<const float> inputs, std::span<const uint32_t> labels) {
    const NetworkOptions& options = state_->options;
    if (labels.empty() || labels.size() > options.max_batch)
        refuse("network.train_step", "labels", std::to_string(labels.size()) + " rows",
               "1 to " + std::to_string(options.max_batch));
    check_batch("network.train_step", options, inputs, labels);
    detail::Trainer& trainer = state_->trainer;
    if (trainer.training.statistics == Statistics::batch) check_rows(options, labels.size());
    return trainer.step(inputs, labels, renorm_limits("network.train_step", options, trainer.steps() + 1));
}

StepResult Network::result(Ticket ticket) {
    return state_->trainer.result(ticket);
}

Evaluation Network::evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                             Statistics statistics, uint32_t chunk) {
    const NetworkOptions& options = state_->options;
    if (labels.empty()) refuse("network.evaluate", "labels", "0 rows", "at least 1");
    check_batch("network.evaluate", options, inputs, labels);
    if (chunk > options.max_batch)
        refuse("network.evaluate", "chunk", std::to_string(chunk),
               "0 to max_batch = " + std::to_string(options.max_batch));
    return state_->evaluator.evaluate(inputs, labels, state_->evaluation("network.evaluate", statistics),
                                      chunk == 0 ? options.max_batch : chunk);
}

std::vector<float> Network::predict(std::span<const float> inputs, Statistics statistics) {
    const NetworkOptions& options = state_->options;
    if (inputs.size() % options.inputs != 0)
        refuse("network.predict", "inputs", std::to_string(inputs.size()) + " values",
               "a multiple of " + std::to_string(options.inputs));
    return state_->evaluator.predict(inputs, state_->evaluation("network.predict", statistics),
                                     options.max_batch);
}

void Network::set_optimizer(const Optimizer& optimizer) {
    check_optimizer(optimizer);
    detail::Trainer& trainer = state_->trainer;
    if (optimizer.index() != trainer.training.optimizer.index()) trainer.reset_optimizer();
    trainer.training.optimizer = optimizer;
}

void Network::set_batch_norm(const BatchNormConvention& convention) {
    state_->model.set_batch_norm(convention);
    state_->options.batch_norm = convention;
}

void Network::set_statistics(Statistics statistics) {
    state_->trainer.training.statistics = statistics;
}
void Network::set_update_running(bool update) {
    state_->trainer.training.update_running = update;
}
void Network::set_train_affine(bool train) {
    state_->trainer.training.train_affine = train;
}

void Network::set_probes(std::vector<NetworkProbe> probes) {
    const NetworkOptions& options = state_->options;
    for (const NetworkProbe& probe : probes) {
        if (probe.layer >= options.hidden.size())
            refuse("network.set_probes", "layer", std::to_string(probe.layer),
                   "below " + std::to_string(options.hidden.size()));
        (void)Probe(state_->device, probe.options, options.max_batch, options.hidden[probe.layer].units);
    }
    state_->trainer.training.probes = std::move(probes);
}

void Network::set_timestamps(bool timestamps) {
    state_->stream.set_timestamps(timestamps);
    state_->options.timestamps = timestamps;
}

uint64_t Network::steps() const {
    return state_->trainer.steps();
}
uint64_t Network::parameter_count() const {
    return state_->model.layout().parameter_count;
}

std::vector<std::string> Network::tensor_names() const {
    std::vector<std::string> names;
    for (const NamedTensor& tensor : detail::named_tensors(state_->model.layout()))
        names.push_back(tensor.name);
    return names;
}

std::vector<float> Network::tensor(const std::string& name) {
    const NamedTensor tensor = state_->find("network.tensor", name);
    const BufferView view = state_->view(tensor);
    if (tensor.home == NamedTensor::Home::batches)
        return {static_cast<float>(state_->stream.download<int64_t>(view).at(0))};
    return state_->stream.download<float>(view);
}

void Network::set_tensor(const std::string& name, std::span<const float> values) {
    const NamedTensor tensor = state_->find("network.set_tensor", name);
    const bool counter = tensor.home == NamedTensor::Home::batches;
    const uint64_t needed = counter ? 1 : tensor.range.count;
    if (values.size() != needed)
        refuse("network.set_tensor", name, std::to_string(values.size()) + " values", std::to_string(needed));
    for (size_t i = 0; i < values.size(); ++i) {
        const float value = values[i];
        if (std::isfinite(value) && !(counter && (value < 0 || value > 9e18f))) continue;
        refuse("network.set_tensor", name + "[" + std::to_string(i) + "]", std::to_string(value),
               counter ? "a count" : "a finite number");
    }

    state_->trainer.recover();
    const int64_t count = counter ? static_cast<int64_t>(values[0]) : 0;
    const std::span<const std::byte> data =
        counter ? std::as_bytes(std::span(&count, 1)) : std::as_bytes(values);
    state_->stream.upload(state_->view(tensor), data);
    if (tensor.home != NamedTensor::Home::parameters)
        state_->stream.upload(view_of(state_->model.store().working, tensor.range), data);
}

std::vector<Timing> Network::timings(Ticket ticket) {
    return state_->stream.timings(ticket);
}

std::string Network::explain(uint32_t layer, uint32_t rows) const {
    const NetworkOptions& options = state_->options;
    if (layer >= options.hidden.size())
        refuse("network.explain", "layer", std::to_string(layer),
               "below " + std::to_string(options.hidden.size()));
    if (rows == 0 || rows > options.max_batch)
        refuse("network.explain", "rows", std::to_string(rows), "1 to " + std::to_string(options.max_batch));
    if (options.hidden[layer].norm == Norm::none) return "";
    return detail::HiddenNorm(state_->device, options.hidden[layer], rows, options.batch_norm).explain();
}

}  // namespace vknorm
