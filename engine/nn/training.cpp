#include "nn/training.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "ops/arguments.hpp"
#include "ops/divergence.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {
constexpr size_t steps_in_flight = 4;
}

Training::Training(Device& device, DeviceGraph& graph, Stream& stream)
    : device_(device), graph_(graph), stream_(stream) {
    const uint32_t max_batch = graph.options().max_batch;
    const VkDeviceSize parameter_bytes = graph.store().parameters.bytes();
    first_moment_ = Buffer(device, parameter_bytes, "first moment");
    second_moment_ = Buffer(device, parameter_bytes, "second moment");
    divergence_ = Buffer(device, 4 * VkDeviceSize{divergence_words(words())}, "divergence");
    summary_scratch_ = Buffer(device, step_summary_scratch_bytes(), "summary scratch");
    batch_ = Buffer(device, BatchLayout(max_batch, graph.elements(0)).bytes, "batch");
    losses_ = Buffer(device, sizeof(RowLoss) * max_batch, "row losses");
    for (size_t i = 0; i < steps_in_flight; ++i) flights_.emplace_back(device, graph);
}

void Training::initialize() {
    stream_.upload(divergence_, no_divergence(words()));
    reset_optimizer();
}

void Training::reset_optimizer() {
    fill(stream_.record(), first_moment_, 0);
    fill(stream_.record(), second_moment_, 0);
    stream_.submit();
    optimizer_steps_ = 0;
}

Ticket Training::step(std::span<const float> inputs, std::span<const uint32_t> labels,
                      const RenormLimits& renorm) {
    if (!diverged_.empty()) throw Diverged("network.train_step: refused: " + diverged_);
    const auto rows = static_cast<uint32_t>(labels.size());
    graph_.plan_for(rows, stream_);
    Flight& flight = flights_[steps_ % flights_.size()];
    stream_.wait(flight.ticket);
    flight.fill(steps_ + 1, inputs, labels);
    flight.place_probes(device_, graph_, options.probes);
    std::optional<Transaction> segment(std::in_place, stream_.record());
    Share share;
    if (Exchange* const exchange = graph_.options().exchange)
        share = [&, exchange](const ExchangedBuffer& part) {
            segment.reset();
            stream_.submit();
            exchange->all_reduce(stream_, part);
            segment.emplace(stream_.record());
        };
    record_gradient(flight, rows, renorm, share);
    record_update(flight, rows);
    segment.reset();
    flight.ticket = stream_.submit();
    ++steps_;
    ++optimizer_steps_;
    return flight.ticket;
}

void Training::prepare(uint32_t rows) {
    graph_.plan_for(rows, stream_);
    const std::vector<float> inputs(size_t{rows} * graph_.elements(0));
    const std::vector<uint32_t> labels(rows);
    Flight flight(device_, graph_);
    flight.fill(steps_ + 1, inputs, labels);
    flight.place_probes(device_, graph_, options.probes);
    Transaction transaction(stream_.record());
    transaction.drop();
    const Share share = [](const ExchangedBuffer&) {};
    record_gradient(flight, rows, {}, graph_.options().exchange != nullptr ? share : Share());
    record_update(flight, rows);
}

void Training::record_gradient(Flight& flight, uint32_t rows, const RenormLimits& renorm,
                               const Share& share) {
    const BatchLayout batch(rows, graph_.elements(0));
    std::vector<bool> watched(graph_.node_count());
    for (const NetworkProbe& probe : options.probes) watched[graph_.find(probe.node).value()] = true;
    const Propagation how{.statistics = options.statistics,
                          .renorm = renorm,
                          .update_running = options.update_running,
                          .train_affine = options.train_affine,
                          .training_step = flight.step(),
                          .share = share,
                          .watched = std::move(watched),
                          .divergence = divergence_};
    {
        const Label label(stream_.record(), "batch upload");
        flight.record_upload(stream_.record(), batch_);
    }
    graph_.forward(stream_, rows, batch.inputs(batch_), how);
    graph_.backward(
        stream_, rows,
        {.x = batch.inputs(batch_),
         .labels = batch.labels(batch_),
         .losses = losses_,
         .gradient_is_there = [&](Recorder& recorder,
                                  size_t node) { flight.record_gradient_probes(recorder, graph_, node); }},
        how);
    if (share) share({"gradient", Exchanged::gradient, view_of(graph_.store().gradients, trained())});
}

void Training::record_update(Flight& flight, uint32_t rows) {
    Recorder& recorder = stream_.record();
    const Store& store = graph_.store();
    const StoreLayout& layout = store.layout;
    {
        const Label label(recorder, "summary");
        step_summary(recorder, {.gradient = view_of(store.gradients, trained()),
                                .losses = losses_,
                                .rows = rows,
                                .running = view_of(store.working, layout.range(TensorGroup::running)),
                                .saved = options.statistics == Statistics::batch
                                             ? view_of(store.saved, layout.range(TensorGroup::watched))
                                             : BufferView{},
                                .layers = words(),
                                .divergence = divergence_,
                                .step = static_cast<uint32_t>(flight.step()),
                                .guard = graph_.options().guard,
                                .scratch = summary_scratch_,
                                .record = flight.record()});
    }
    {
        const Label label(recorder, "optimizer");
        optimizer_step(recorder, options.optimizer, optimizer_steps_ + 1,
                       {.parameters = view_of(store.parameters, trained()),
                        .gradient = view_of(store.gradients, trained()),
                        .first_moment = view_of(first_moment_, trained()),
                        .second_moment = view_of(second_moment_, trained()),
                        .diverged = divergence_word(divergence_, 0),
                        .refused = divergence_word(divergence_, shaders::divergence_refused),
                        .working = view_of(store.working, layout.running_words()),
                        .committed = view_of(store.committed, layout.running_words())});
    }
    const Label label(recorder, "probes and readback");
    const BatchLayout batch(rows, graph_.elements(0));
    flight.record_readback(recorder, graph_, batch.inputs(batch_), options.statistics);
}

Range Training::trained() const {
    const StoreLayout& layout = graph_.store().layout;
    return options.train_affine ? layout.parameters() : layout.range(TensorGroup::weights);
}

Flight& Training::flight_of(Ticket ticket) {
    const auto flight = std::find_if(flights_.begin(), flights_.end(), [ticket](const Flight& candidate) {
        return ticket != 0 && candidate.ticket == ticket;
    });
    if (flight == flights_.end())
        refuse("network.result", "ticket", std::to_string(ticket),
               "that of one of the " + std::to_string(flights_.size()) + " latest steps");
    return *flight;
}

/// One without a ticket before the first step.
Flight& Training::latest_flight() {
    return *std::max_element(flights_.begin(), flights_.end(),
                             [](const Flight& a, const Flight& b) { return a.ticket < b.ticket; });
}

StepResult Training::result(Ticket ticket) {
    const Flight& flight = flight_of(ticket);
    stream_.wait(ticket);
    if (!flight.report().diverged) return flight.result(graph_);
    note_divergence(flight);
    throw Diverged("network.result: " + diverged_);
}

// The device knows the low bits of the step that diverged; it is one of the latest.
void Training::note_divergence(const Flight& flight) {
    const StepReport report = flight.report();
    if (!report.diverged || !diverged_.empty()) return;
    const uint64_t step = flight.step() - (static_cast<uint32_t>(flight.step()) - report.diverged_step);
    diverged_ = "step " + std::to_string(step);
    const auto first = std::find_if(flights_.begin(), flights_.end(), [step](const Flight& candidate) {
        return candidate.ticket != 0 && candidate.step() == step;
    });
    diverged_ += first == flights_.end() ? " diverged" : ": " + first->diagnosis(graph_);
    // Steps from that one on did not happen.
    optimizer_steps_ -= std::min(optimizer_steps_, steps_ - (step - 1));
}

void Training::settle() {
    const Flight& latest = latest_flight();
    if (latest.ticket == 0 || !diverged_.empty()) return;
    stream_.wait(latest.ticket);
    note_divergence(latest);
}

void Training::recover() {
    settle();
    if (diverged_.empty()) return;
    // The rest holds: what nodes tell is of one step.
    stream_.upload(divergence_word(divergence_, 0), std::vector<uint32_t>{0});
    stream_.submit();
    diverged_.clear();
}

void Training::set_steps(uint64_t steps) {
    recover();
    steps_ = steps;
}

Training::Progress Training::progress() {
    const BufferView refused = divergence_word(divergence_, shaders::divergence_all_refused);
    return {steps_, optimizer_steps_, stream_.download<uint32_t>(refused).at(0)};
}

void Training::set_progress(const Progress& progress) {
    set_steps(progress.steps);
    optimizer_steps_ = progress.optimizer_steps;
    stream_.upload(divergence_word(divergence_, shaders::divergence_all_refused),
                   std::vector<uint32_t>{progress.refused_batches});
    stream_.submit();
}

std::vector<Training::Moment> Training::moments() const {
    const std::array<Moment, 2> all = {{{"first_moment", first_moment_}, {"second_moment", second_moment_}}};
    return {all.begin(), all.begin() + moment_count(options.optimizer)};
}

}  // namespace vknorm::detail
