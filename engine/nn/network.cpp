#include "vknorm/network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "nn/model.hpp"
#include "nn/step_slot.hpp"
#include "ops/arguments.hpp"
#include "ops/step_summary.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using detail::NamedTensor;
using detail::Pass;
using detail::Range;
using detail::refuse;
using detail::StepSlot;
using detail::view_of;

namespace {

constexpr size_t steps_in_flight = 4;
// Rows whose results one buffer holds: within the smallest storage buffer range that a device may have.
constexpr uint32_t evaluation_rows = 8192;

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

}  // namespace

struct Network::State {
    State(Device& owner, const NetworkOptions& asked);

    Device& device;
    NetworkOptions options;
    detail::Model model;
    Buffer first_moment, second_moment, health, summary_scratch;
    Buffer batch, results, evaluated, probabilities;
    std::vector<StepSlot> slots;
    Optimizer optimizer = Sgd{};
    Statistics statistics = Statistics::batch;
    bool update_running = true, train_affine = true;
    std::vector<ProbeOptions> probes;
    uint64_t steps = 0, optimizer_steps = 0;
    std::string diverged;  // what happened; empty while all is well
    Stream stream;         // last: its destructor waits for what uses the rest

    void reset_optimizer();
    void prepare(uint32_t rows) {
        model.prepare(rows, [this] { stream.wait(stream.submit()); });
    }
    Ticket train_step(std::span<const float> inputs, std::span<const uint32_t> labels);
    void record_step(StepSlot& slot, uint32_t rows);
    StepSlot& latest_slot() { return slots[(steps - 1) % slots.size()]; }
    StepSlot& slot_of(Ticket ticket);
    void note_divergence(const StepSlot& slot);
    void recover();

    /// Uploads a chunk and records the way to its logits.
    void record_evaluation(std::span<const float> inputs, std::span<const uint32_t> labels, uint32_t rows,
                           Statistics with);
    const Buffer& home(const NamedTensor& tensor) const {
        return tensor.home == NamedTensor::Home::parameters ? model.store().parameters
                                                            : model.store().committed;
    }
    NamedTensor find(const char* operation, const std::string& name) const;
};

Network::State::State(Device& owner, const NetworkOptions& asked)
    : device(owner), options(asked), model(owner, asked), stream(owner, {.timestamps = asked.timestamps}) {
    const detail::Layout& layout = model.layout();
    first_moment = Buffer(device, 4 * layout.parameters.count, "first moment");
    second_moment = Buffer(device, 4 * layout.parameters.count, "second moment");
    health = Buffer(device, 4 * VkDeviceSize{detail::health_words(model.health_layers())}, "health");
    summary_scratch = Buffer(device, detail::step_summary_scratch_bytes(), "summary scratch");
    batch = Buffer(device, detail::BatchLayout(options.max_batch, options.inputs).bytes, "batch");
    results = Buffer(device, sizeof(shaders::RowResult) * options.max_batch, "row results");
    evaluated = Buffer(device, sizeof(shaders::RowResult) * evaluation_rows, "evaluated rows");
    probabilities = Buffer(device, 4 * VkDeviceSize{options.max_batch} * options.classes, "probabilities");
    for (size_t i = 0; i < steps_in_flight; ++i)
        slots.emplace_back(device, model, options.inputs, options.max_batch);

    stream.upload(model.store().parameters,
                  detail::initial_parameters(layout, options.seed, options.init_scale));
    if (model.has_norms()) {
        const std::vector<uint32_t> running = detail::initial_running(layout);
        stream.upload(model.store().committed, running);
        stream.upload(model.store().working, running);
    }
    detail::fill_zero(stream.record(), model.store().gradient);
    stream.upload(health, detail::sound_health(model.health_layers()));
    reset_optimizer();
    stream.submit();
}

void Network::State::reset_optimizer() {
    detail::fill_zero(stream.record(), first_moment);
    detail::fill_zero(stream.record(), second_moment);
    optimizer_steps = 0;
}

Ticket Network::State::train_step(std::span<const float> inputs, std::span<const uint32_t> labels) {
    if (!diverged.empty()) throw Diverged("network.train_step: refused: " + diverged);
    const auto rows = static_cast<uint32_t>(labels.size());
    prepare(rows);
    StepSlot& slot = slots[steps % slots.size()];
    stream.wait(slot.ticket);
    slot.fill(inputs, labels);
    slot.step = steps + 1;
    slot.ticket = 0;
    record_step(slot, rows);
    slot.ticket = stream.submit();
    ++steps;
    ++optimizer_steps;
    return slot.ticket;
}

void Network::State::record_step(StepSlot& slot, uint32_t rows) {
    Recorder& recorder = stream.record();
    const detail::BatchLayout layout(rows, options.inputs);
    const Pass pass{.statistics = statistics,
                    .update_running = update_running,
                    .train_affine = train_affine,
                    .health = health};
    {
        const detail::Label label(recorder, "batch upload");
        slot.record_upload(recorder, batch);
    }
    model.forward(recorder, rows, layout.inputs(batch), pass);
    model.backward(recorder, rows, layout.inputs(batch), layout.labels(batch), results, pass);

    const detail::Store& store = model.store();
    const Range trained = train_affine ? model.layout().parameters : model.layout().linear;
    {
        const detail::Label label(recorder, "summary");
        detail::step_summary(recorder, {.gradient = view_of(store.gradient, trained),
                                        .results = results,
                                        .rows = rows,
                                        .running = view_of(store.working, model.layout().running),
                                        .layers = model.health_layers(),
                                        .health = health,
                                        .step = static_cast<uint32_t>(slot.step),
                                        .scratch = summary_scratch,
                                        .record = slot.record()});
    }
    {
        const detail::Label label(recorder, "optimizer");
        detail::optimizer_step(recorder, optimizer, optimizer_steps + 1,
                               {.parameters = view_of(store.parameters, trained),
                                .gradient = view_of(store.gradient, trained),
                                .first_moment = view_of(first_moment, trained),
                                .second_moment = view_of(second_moment, trained),
                                .health = health,
                                .working = view_of(store.working, model.layout().running_words),
                                .committed = view_of(store.committed, model.layout().running_words)});
    }
    const detail::Label label(recorder, "probes and readback");
    slot.record_probes(recorder, device, model, probes);
    slot.record_readback(recorder, model, statistics);
}

StepSlot& Network::State::slot_of(Ticket ticket) {
    const auto slot = std::find_if(slots.begin(), slots.end(), [ticket](const StepSlot& candidate) {
        return ticket != 0 && candidate.ticket == ticket;
    });
    if (slot == slots.end())
        refuse("network.result", "ticket", std::to_string(ticket),
               "that of one of the " + std::to_string(slots.size()) + " latest steps");
    return *slot;
}

// The device knows the low bits of the step that diverged; it is one of the latest.
void Network::State::note_divergence(const StepSlot& slot) {
    const detail::StepReport report = slot.report();
    if (!report.diverged || !diverged.empty()) return;
    const uint64_t step = slot.step - (static_cast<uint32_t>(slot.step) - report.diverged_step);
    diverged = "step " + std::to_string(step);
    const auto first = std::find_if(slots.begin(), slots.end(), [step](const StepSlot& candidate) {
        return candidate.ticket != 0 && candidate.step == step;
    });
    diverged += first != slots.end() ? ": " + first->diagnosis(model) : " diverged";
    // Steps from that one on did not happen.
    optimizer_steps -= steps - (step - 1);
}

// Whoever sets a tensor starts again from sound values.
void Network::State::recover() {
    if (steps > 0 && diverged.empty()) {
        stream.wait(latest_slot().ticket);
        note_divergence(latest_slot());
    }
    if (diverged.empty()) return;
    stream.upload(health, detail::sound_health(model.health_layers()));
    diverged.clear();
}

void Network::State::record_evaluation(std::span<const float> inputs, std::span<const uint32_t> labels,
                                       uint32_t rows, Statistics with) {
    prepare(rows);
    const detail::BatchLayout layout(rows, options.inputs);
    stream.upload(layout.inputs(batch), inputs);
    if (!labels.empty()) stream.upload(layout.labels(batch), labels);
    model.forward(stream.record(), rows, layout.inputs(batch), {.statistics = with});
}

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
    if (labels.size() == 1 && state_->model.has_norms() && state_->statistics == Statistics::batch) {
        const auto layer = std::find_if(options.hidden.begin(), options.hidden.end(),
                                        [](const HiddenLayer& hidden) { return hidden.norm != Norm::none; });
        throw std::invalid_argument(
            "network.train_step: expected more than 1 value per channel when training, got input size [1, " +
            std::to_string(layer->units) + "]");
    }
    return state_->train_step(inputs, labels);
}

StepResult Network::result(Ticket ticket) {
    const StepSlot& slot = state_->slot_of(ticket);
    state_->stream.wait(ticket);
    if (slot.report().diverged) {
        state_->note_divergence(slot);
        throw Diverged("network.result: " + state_->diverged);
    }
    return slot.result(state_->model);
}

Evaluation Network::evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                             Statistics statistics, uint32_t chunk) {
    State& state = *state_;
    if (labels.empty()) refuse("network.evaluate", "labels", "0 rows", "at least 1");
    check_batch("network.evaluate", state.options, inputs, labels);
    if (chunk > state.options.max_batch)
        refuse("network.evaluate", "chunk", std::to_string(chunk),
               "0 to max_batch = " + std::to_string(state.options.max_batch));
    if (chunk == 0) chunk = state.options.max_batch;

    double loss = 0, correct = 0;
    uint32_t held = 0;  // rows whose results wait in `evaluated`
    const auto collect = [&] {
        for (const shaders::RowResult& row : state.stream.download<shaders::RowResult>(
                 state.evaluated.view(0, sizeof(shaders::RowResult) * held))) {
            loss += row.loss;
            correct += row.correct;
        }
        held = 0;
    };
    for (size_t first = 0; first < labels.size(); first += chunk) {
        const auto rows = static_cast<uint32_t>(std::min<size_t>(chunk, labels.size() - first));
        if (held + rows > evaluation_rows) collect();
        state.record_evaluation(
            inputs.subspan(first * state.options.inputs, size_t{rows} * state.options.inputs),
            labels.subspan(first, rows), rows, statistics);
        state.model.loss(rows).measure(state.stream.record(), state.model.logits(rows),
                                       detail::BatchLayout(rows, state.options.inputs).labels(state.batch),
                                       state.evaluated, held);
        state.stream.submit();  // chunk by chunk: no submission is long
        held += rows;
    }
    collect();
    const auto count = static_cast<double>(labels.size());
    return {loss / count, correct / count};
}

std::vector<float> Network::predict(std::span<const float> inputs, Statistics statistics) {
    State& state = *state_;
    const size_t features = state.options.inputs, classes = state.options.classes;
    if (inputs.size() % features != 0)
        refuse("network.predict", "inputs", std::to_string(inputs.size()) + " values",
               "a multiple of " + std::to_string(features));
    const size_t count = inputs.size() / features;
    std::vector<float> probabilities(count * classes);
    for (size_t first = 0; first < count; first += state.options.max_batch) {
        const auto rows = static_cast<uint32_t>(std::min<size_t>(state.options.max_batch, count - first));
        state.record_evaluation(inputs.subspan(first * features, rows * features), {}, rows, statistics);
        const BufferView target = state.probabilities.view(0, 4 * VkDeviceSize{rows} * classes);
        state.model.loss(rows).predict(state.stream.record(), state.model.logits(rows), target);
        state.stream.download(target, std::as_writable_bytes(
                                          std::span(probabilities).subspan(first * classes, rows * classes)));
    }
    return probabilities;
}

void Network::set_optimizer(const Optimizer& optimizer) {
    detail::check(optimizer);
    if (optimizer.index() != state_->optimizer.index()) state_->reset_optimizer();
    state_->optimizer = optimizer;
}

void Network::set_batch_norm(const BatchNormConvention& convention) {
    state_->model.set_batch_norm(convention);
    state_->options.batch_norm = convention;
}

void Network::set_statistics(Statistics statistics) {
    state_->statistics = statistics;
}
void Network::set_update_running(bool update) {
    state_->update_running = update;
}
void Network::set_train_affine(bool train) {
    state_->train_affine = train;
}

void Network::set_probes(std::vector<ProbeOptions> probes) {
    const NetworkOptions& options = state_->options;
    for (const ProbeOptions& probe : probes) {
        if (probe.layer >= options.hidden.size())
            refuse("network.set_probes", "layer", std::to_string(probe.layer),
                   "below " + std::to_string(options.hidden.size()));
        (void)detail::Probe(state_->device.capabilities(), probe, options.max_batch,
                            options.hidden[probe.layer].units);
    }
    state_->probes = std::move(probes);
}

uint64_t Network::steps() const {
    return state_->steps;
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
    const BufferView view = view_of(state_->home(tensor), tensor.range);
    if (tensor.home == NamedTensor::Home::batches)
        return {static_cast<float>(state_->stream.download<int64_t>(view).at(0))};
    return state_->stream.download<float>(view);
}

void Network::set_tensor(const std::string& name, std::span<const float> values) {
    const NamedTensor tensor = state_->find("network.set_tensor", name);
    const bool batches = tensor.home == NamedTensor::Home::batches;
    const uint64_t needed = batches ? 1 : tensor.range.count;
    if (values.size() != needed)
        refuse("network.set_tensor", name, std::to_string(values.size()) + " values", std::to_string(needed));
    const auto bad = std::find_if(values.begin(), values.end(), [&](float x) {
        return !std::isfinite(x) || (batches && !(x >= 0 && x < 9e18f));
    });
    if (bad != values.end())
        refuse("network.set_tensor", name + "[" + std::to_string(bad - values.begin()) + "]",
               std::to_string(*bad), batches ? "a count" : "a finite number");

    state_->recover();
    const int64_t count = batches ? static_cast<int64_t>(values[0]) : 0;
    const std::span<const std::byte> data =
        batches ? std::as_bytes(std::span(&count, 1)) : std::as_bytes(values);
    state_->stream.upload(view_of(state_->home(tensor), tensor.range), data);
    if (tensor.home != NamedTensor::Home::parameters)
        state_->stream.upload(view_of(state_->model.store().working, tensor.range), data);
}

std::vector<Timing> Network::timings(Ticket ticket) {
    return state_->stream.timings(ticket);
}

}  // namespace vknorm
