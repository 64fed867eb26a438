#include "nn/training.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "ops/add.hpp"
#include "ops/arguments.hpp"
#include "ops/divergence.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {
constexpr size_t steps_in_flight = 4;
}

Training::Training(Device& device, DeviceGraph& graph, Stream& stream)
    : device_(device), graph_(graph), stream_(stream) {
    const uint32_t max_batch = graph.options().max_batch, micro_batches = graph.options().accumulate;
    const VkDeviceSize parameter_bytes = graph.store().parameters.bytes();
    first_moment_ = Buffer(device, parameter_bytes, "first moment");
    second_moment_ = Buffer(device, parameter_bytes, "second moment");
    divergence_ = Buffer(device, 4 * VkDeviceSize{divergence_words(words())}, "divergence");
    summary_scratch_ = Buffer(device, step_summary_scratch_bytes(), "summary scratch");
    batch_ = Buffer(device, BatchLayout(max_batch, graph.elements(0)).bytes, "batch");
    const VkDeviceSize loss_bytes = sizeof(RowLoss) * VkDeviceSize{micro_batches} * max_batch;
    require_range(device.capabilities(), "network: row losses", loss_bytes);
    losses_ = Buffer(device, loss_bytes, "row losses");
    if (micro_batches > 1) gradient_sum_ = Buffer(device, parameter_bytes, "gradient sum");
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
    return step(inputs, labels, renorm, shared(labels, false));
}

bool Training::join() {
    const SharedStep all = shared({}, true);
    if (all.all_joined()) return false;
    std::visit([&](auto& kind) { kind.learning_rate = all.learning_rate(); }, options.optimizer);
    step({}, {}, {}, all);
    return true;
}

SharedStep Training::shared(std::span<const uint32_t> labels, bool joined) {
    Exchange* const exchange = graph_.options().exchange;
    // All ranks learn before the same step that one diverged: what is left of it is short.
    if (exchange != nullptr) settle();
    if (!diverged_.empty()) throw Diverged("network.train_step: refused: " + diverged_);
    if (trained_parts().empty()) refuse("network.train_step", "parameters", "all frozen", "one to train");
    const float learning_rate =
        std::visit([](const auto& kind) { return kind.learning_rate; }, options.optimizer);
    return {exchange,
            next_step(),
            {.rows = static_cast<uint32_t>(labels.size()),
             .weight_sum = weight_sum(labels),
             .learning_rate = learning_rate,
             .joined = joined}};
}

void Training::check(const SharedStep& shared) const {
    const NetworkOptions& network = graph_.options();
    if (shared.rows() < network.accumulate)
        throw RefusedByAll("network.train_step: labels: got " + std::to_string(shared.rows()) +
                           " rows on all ranks, needs at least " + std::to_string(network.accumulate));
    if (shared.weight_sum() == 0)
        throw RefusedByAll(
            "network.train_step: labels: got classes whose weights are all 0, needs one with a weight above "
            "0");
    if (options.statistics == Statistics::running) return;
    const std::vector<bool> frozen = frozen_statistics();
    for (uint32_t i = 0; i < network.accumulate; ++i)
        for (const uint64_t rows : shared.rows_of_groups(network.statistics_group, i, network.accumulate))
            for (size_t n = 0; n < graph_.node_count(); ++n) {
                if (rows == 0 || (!frozen.empty() && frozen[n])) continue;
                try {
                    graph_.layer(n).check_training_rows(rows);
                } catch (const std::invalid_argument& refused) {
                    throw RefusedByAll(refused.what());
                }
            }
}

Ticket Training::step(std::span<const float> inputs, std::span<const uint32_t> labels,
                      const RenormLimits& renorm, const SharedStep& shared) {
    check(shared);
    const float weight_sum = shared.weight_sum();
    const auto rows = static_cast<uint32_t>(labels.size());
    for (const MicroBatch& micro_batch : micro_batches(rows, graph_.options().accumulate))
        graph_.plan_for(micro_batch.rows, stream_);
    Flight& flight = flights_[steps_ % flights_.size()];
    stream_.wait(flight.ticket);
    flight.fill(steps_ + 1, inputs, labels);
    flight.place_probes(device_, graph_, options.probes);
    flight.place_captures(device_, graph_, options.captured);
    std::optional<Transaction> segment(std::in_place, stream_.record());
    Share share;
    if (Exchange* const exchange = graph_.options().exchange)
        share = [&, exchange](ExchangedBuffer part) {
            segment.reset();
            stream_.submit();
            part.where = next_step() + ", " + part.where;
            all_reduce(*exchange, stream_, part);
            segment.emplace(stream_.record());
        };
    record_gradient(flight, weight_sum, renorm, share);
    if (share) {
        segment.reset();
        share_sums(flight, weight_sum);
        segment.emplace(stream_.record());
    }
    record_update(flight, weight_sum);
    segment.reset();
    flight.ticket = stream_.submit();
    ++steps_;
    ++optimizer_steps_;
    return flight.ticket;
}

void Training::prepare(uint32_t rows) {
    graph_.plan_for(rows, stream_);
    const size_t all_rows = size_t{rows} * graph_.options().accumulate;
    const std::vector<float> inputs(all_rows * graph_.elements(0));
    const std::vector<uint32_t> labels(all_rows);
    Flight flight(device_, graph_);
    flight.fill(steps_ + 1, inputs, labels);
    flight.place_probes(device_, graph_, options.probes);
    Transaction transaction(stream_.record());
    transaction.drop();
    const Share share = [](const ExchangedBuffer&) {};
    const auto weight_sum = static_cast<float>(all_rows);
    record_gradient(flight, weight_sum, {}, graph_.options().exchange != nullptr ? share : Share());
    record_update(flight, weight_sum);
}

float Training::weight_sum(std::span<const uint32_t> labels) const {
    const std::vector<float>& weights = graph_.options().class_weights;
    if (weights.empty()) return static_cast<float>(labels.size());
    double sum = 0;
    for (const uint32_t label : labels) sum += weights[label];
    return static_cast<float>(sum);
}

void Training::share_sums(Flight& flight, float weight_sum) {
    StepSums own{.rows = flight.rows()};
    if (flight.rows() > 0)
        for (const RowLoss& row :
             stream_.download<RowLoss>(losses_.view(0, sizeof(RowLoss) * VkDeviceSize{flight.rows()}))) {
            own.loss += row.loss;
            own.correct += row.correct;
        }
    const BufferView told{divergence_.view().buffer, sizeof(uint32_t) * shaders::divergence_header,
                          sizeof(uint32_t) * words()};
    std::vector<uint32_t> words = stream_.download<uint32_t>(told);
    const StepSums sums = add_up(*graph_.options().exchange, next_step() + ", losses", own, words);
    // Of all ranks' losses the device knows nothing.
    if (!std::isfinite(sums.loss)) words.back() = 0;
    stream_.upload(told, words);
    flight.set_means(
        {.loss = static_cast<float>(sums.loss / double{weight_sum}),
         .accuracy = static_cast<float>(static_cast<double>(sums.correct) / static_cast<double>(sums.rows))});
}

void Training::record_gradient(Flight& flight, float weight_sum, const RenormLimits& renorm,
                               const Share& share) {
    const std::vector<MicroBatch>& micro_batches = flight.micro_batches();
    const Exchange* const exchange = graph_.options().exchange;
    // Every micro-batch of every rank is one that differs from all others.
    const uint64_t ranks = exchange != nullptr ? exchange->size() : 1,
                   rank = exchange != nullptr ? exchange->rank() : 0;
    std::vector<bool> watched(graph_.node_count());
    for (const NetworkProbe& probe : options.probes) watched[graph_.find(probe.node).value()] = true;
    for (const size_t node : options.captured) watched[node] = true;
    Propagation how{.statistics = options.statistics,
                    .renorm = renorm,
                    .update_running = options.update_running,
                    .train_affine = options.train_affine,
                    .train_weights = true,
                    .frozen_parameters = among(options.frozen.parameters),
                    .frozen_statistics = frozen_statistics(),
                    .share = share,
                    // A ReLU hides infinities, and what a norm saved of all micro-batches but the last
                    // one is gone when the step is judged: there, ReLUs look for themselves.
                    .fuses = micro_batches.size() == 1,
                    .watched = std::move(watched),
                    .divergence = divergence_};
    const auto measure = [&](Recorder& recorder, size_t node) {
        flight.record_gradient_probes(recorder, graph_, node);
    };
    for (size_t i = 0; i < micro_batches.size(); ++i) {
        how.training_step = ((flight.step() - 1) * ranks + rank) * micro_batches.size() + i + 1;
        const auto [first, rows] = micro_batches[i];
        const BatchLayout batch(rows, graph_.elements(0));
        if (rows > 0) {
            const Label label(stream_.record(), "batch upload");
            flight.record_upload(stream_.record(), micro_batches[i], batch_);
        }
        const bool last = i + 1 == micro_batches.size();
        if (last) flight.record_found(stream_.record(), graph_);
        const BufferView x = rows > 0 ? batch.inputs(batch_) : BufferView{};
        graph_.forward(stream_, rows, x, how);
        DeviceGraph::Backward arguments{.x = x, .weight_sum = weight_sum};
        if (rows > 0) {
            arguments.labels = batch.labels(batch_);
            arguments.losses = losses_.view(sizeof(RowLoss) * VkDeviceSize{first}, sizeof(RowLoss) * rows);
        }
        if (last) arguments.gradient_is_there = measure;
        graph_.backward(stream_, rows, arguments, how);
        if (last) flight.record_parameter_gradients(stream_.record(), graph_, how);
        if (micro_batches.size() > 1) record_sum(i);
    }
    if (!share) return;
    share({"gradient", Exchanged::total, view_of(graph_.store().gradients, trained())});
    const uint32_t together = graph_.options().statistics_group;
    const BufferView running =
        view_of(graph_.store().working, graph_.store().layout.range(TensorGroup::running));
    if (running && together > 0 && together < ranks) share({"running statistics", Exchanged::mean, running});
}

void Training::record_sum(size_t i) {
    Recorder& recorder = stream_.record();
    const Label label(recorder, "gradient sum");
    const BufferView gradient = view_of(graph_.store().gradients, trained()),
                     sum = view_of(gradient_sum_, trained());
    const bool last = i + 1 == graph_.options().accumulate;
    if (i == 0)
        copy(recorder, gradient, sum);
    else
        add(recorder, sum, gradient, last ? gradient : sum);
}

void Training::record_update(Flight& flight, float weight_sum) {
    Recorder& recorder = stream_.record();
    const Store& store = graph_.store();
    const StoreLayout& layout = store.layout;
    {
        const Label label(recorder, "summary");
        step_summary(recorder, {.gradient = view_of(store.gradients, trained()),
                                .losses = losses_,
                                // Those of all ranks were added on the host.
                                .rows = graph_.options().exchange != nullptr ? 0 : flight.rows(),
                                .weight_sum = weight_sum,
                                .running = view_of(store.working, layout.range(TensorGroup::running)),
                                .saved = options.statistics == Statistics::batch
                                             ? view_of(store.saved, layout.range(TensorGroup::watched))
                                             : BufferView{},
                                .layers = words(),
                                .divergence = divergence_,
                                .step = static_cast<uint32_t>(flight.step()),
                                .guard = graph_.options().guard,
                                .max_gradient_norm = options.max_gradient_norm,
                                .scratch = summary_scratch_,
                                .record = flight.record()});
    }
    {
        const Label label(recorder, "optimizer");
        Range running = layout.running_words();
        for (const Range& part : trained_parts()) {
            optimizer_step(recorder, options.optimizer, optimizer_steps_ + 1,
                           {.parameters = view_of(store.parameters, part),
                            .gradient = view_of(store.gradients, part),
                            .first_moment = view_of(first_moment_, part),
                            .second_moment = view_of(second_moment_, part),
                            .verdict = verdict_of(divergence_),
                            .working = view_of(store.working, running),
                            .committed = view_of(store.committed, running)});
            running = {};  // once is enough
        }
    }
    const Label label(recorder, "probes and readback");
    const BatchLayout batch(flight.micro_batches().back().rows, graph_.elements(0));
    flight.record_readback(recorder, graph_, batch.input_bytes > 0 ? batch.inputs(batch_) : BufferView{},
                           options.statistics, frozen_statistics());
}

Range Training::trained() const {
    const StoreLayout& layout = graph_.store().layout;
    return options.train_affine ? layout.parameters() : layout.range(TensorGroup::weights);
}

std::vector<Range> Training::trained_parts() const {
    const std::vector<std::string>& frozen = options.frozen.parameters;
    return graph_.store().layout.parameters_without(
        {frozen.begin(), frozen.end()}, options.train_affine ? TensorGroup::affine : TensorGroup::weights);
}

std::vector<bool> Training::among(const std::vector<std::string>& nodes) const {
    if (nodes.empty()) return {};
    std::vector<bool> among(graph_.node_count());
    for (const std::string& node : nodes) among[graph_.find(node).value()] = true;
    return among;
}

void Training::set_frozen(const Frozen& frozen) {
    options.frozen = frozen;
    // What is frozen neither adds to the gradient's norm nor is judged.
    fill(stream_.record(), graph_.store().gradients, 0);
    fill(stream_.record(), graph_.store().saved, 0);
    stream_.submit();
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
