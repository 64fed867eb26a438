#include "nn/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "nn/flight.hpp"
#include "nn/shared_step.hpp"
#include "ops/arguments.hpp"
#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"
#include "vulkan/transaction.hpp"

namespace vknorm::detail {

namespace {
// Rows whose losses one buffer holds: within the smallest storage buffer range that a device may have.
constexpr uint32_t most_losses = 8192;
}  // namespace

Evaluator::Evaluator(Device& device, DeviceGraph& graph, Stream& stream)
    : graph_(graph), stream_(stream), inputs_(graph.elements(0)) {
    const uint32_t max_batch = graph.options().max_batch;
    batch_ = Buffer(device, BatchLayout(max_batch, inputs_).bytes, "evaluated batch");
    losses_ = Buffer(device, sizeof(RowLoss) * std::max(most_losses, max_batch), "evaluated rows");
    probabilities_ = Buffer(device, 4 * VkDeviceSize{max_batch} * graph.classes(), "probabilities");
}

void Evaluator::upload(std::span<const float> inputs, std::span<const uint32_t> labels, uint32_t rows) {
    const BatchLayout layout(rows, inputs_);
    stream_.upload(layout.inputs(batch_), inputs);
    if (!labels.empty()) stream_.upload(layout.labels(batch_), labels);
}

void Evaluator::record_losses(uint32_t rows, const Propagation& how, uint32_t held) {
    const Transaction transaction(stream_.record());
    const BatchLayout layout(rows, inputs_);
    graph_.forward(stream_, rows, layout.inputs(batch_), how);
    graph_.loss(rows).forward(stream_.record(),
                              {.logits = graph_.logits(rows),
                               .labels = layout.labels(batch_),
                               .losses = losses_.view(sizeof(RowLoss) * held, sizeof(RowLoss) * rows)});
}

BufferView Evaluator::record_probabilities(uint32_t rows, const Propagation& how) {
    const Transaction transaction(stream_.record());
    graph_.forward(stream_, rows, BatchLayout(rows, inputs_).inputs(batch_), how);
    const BufferView target = probabilities_.view(0, 4 * VkDeviceSize{rows} * graph_.classes());
    graph_.loss(rows).softmax(stream_.record(), {.logits = graph_.logits(rows), .probabilities = target});
    return target;
}

void Evaluator::prepare(uint32_t rows) {
    graph_.plan_for(rows, stream_);
    Transaction transaction(stream_.record());
    transaction.drop();
    for (const Statistics statistics : {Statistics::batch, Statistics::running})
        record_losses(rows, {.statistics = statistics}, 0);
    record_probabilities(rows, {});
}

Evaluation Evaluator::evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                               const Propagation& how, uint32_t chunk) {
    double loss = 0, correct = 0;
    uint32_t held = 0;  // rows whose losses wait on the device
    const auto collect = [&] {
        const BufferView view = losses_.view(0, sizeof(RowLoss) * held);
        for (const RowLoss& row : stream_.download<RowLoss>(view)) {
            loss += row.loss;
            correct += row.correct;
        }
        held = 0;
    };
    for (size_t first = 0; first < labels.size(); first += chunk) {
        const auto rows = static_cast<uint32_t>(std::min<size_t>(chunk, labels.size() - first));
        if (sizeof(RowLoss) * (held + rows) > losses_.bytes()) collect();
        graph_.plan_for(rows, stream_);
        upload(inputs.subspan(first * inputs_, size_t{rows} * inputs_), labels.subspan(first, rows), rows);
        record_losses(rows, how, held);
        stream_.submit();  // chunk by chunk: no submission is long
        held += rows;
    }
    collect();
    std::vector<double> sums = {loss, correct, static_cast<double>(labels.size())};
    if (Exchange* const exchange = graph_.options().exchange) {
        const std::string where = "network.evaluate";
        std::vector<double> all(sums.size());
        for (const Exchange::Message& message : gather(*exchange, where, std::as_bytes(std::span(sums)))) {
            std::vector<double> its(sums.size());
            std::memcpy(its.data(), message.data(), std::min(message.size(), sizeof(double) * its.size()));
            for (size_t i = 0; i < all.size(); ++i) all[i] += its[i];
        }
        sums = all;
    }
    const double rows = sums[2];
    if (rows == 0) throw RefusedByAll("network.evaluate: labels: got 0 rows, needs at least 1");
    return {sums[0] / rows, sums[1] / rows};
}

void Evaluator::recompute_running_statistics(std::span<const float> inputs, const Propagation& how,
                                             uint32_t chunk) {
    const auto all_rows = static_cast<uint32_t>(inputs.size() / inputs_);
    if (Exchange* const exchange = graph_.options().exchange) {
        const SharedStep shared(exchange, "network.recompute_running_statistics",
                                {.rows = all_rows, .joined = 1});
        if (shared.rows() < 2)
            throw RefusedByAll("network.recompute_running_statistics: inputs: got " +
                               std::to_string(shared.rows()) + " rows on all ranks, needs at least 2");
    }
    const std::vector<MicroBatch> parts = micro_batches(all_rows, std::max(ceil_div(all_rows, chunk), 1u));
    for (const auto& [first, rows] : parts) {
        graph_.plan_for(rows, stream_);
        if (rows > 0) upload(inputs.subspan(size_t{first} * inputs_, size_t{rows} * inputs_), {}, rows);
        {
            const Transaction transaction(stream_.record());
            const BufferView x = rows > 0 ? BatchLayout(rows, inputs_).inputs(batch_) : BufferView{};
            if (rows > 0) graph_.forward(stream_, rows, x, how);
            graph_.pool_statistics(stream_.record(), rows, x, how, first == 0);
        }
        stream_.submit();
    }
    if (Exchange* const exchange = graph_.options().exchange)
        for (const auto& [node, moments] : graph_.pooled(parts.back().rows, how))
            all_reduce(*exchange, stream_,
                       {"network.recompute_running_statistics, " + node, Exchanged::moments, moments});
    graph_.take_pooled_statistics(stream_.record(), parts.back().rows, how);

    const Store& store = graph_.store();
    const StoreLayout& layout = store.layout;
    const Range range = layout.range(TensorGroup::running);
    if (range.count == 0) return;
    const BufferView taken = view_of(store.working, range), kept = view_of(store.committed, range);
    const std::vector<float> values = stream_.download<float>(taken);
    const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
    copy(stream_.record(), bad == values.end() ? taken : kept, bad == values.end() ? kept : taken);
    stream_.submit();
    if (bad == values.end()) return;
    const auto element = range.first + static_cast<uint64_t>(bad - values.begin());
    const StoreLayout::Entry* const entry = layout.find(TensorGroup::running, element);
    throw RefusedByAll("network.recompute_running_statistics: inputs: got values whose statistics in \"" +
                       (entry ? entry->node : std::string()) + "\" are not finite, needs others");
}

template <class ForChunk>
void Evaluator::in_chunks(std::span<const float> inputs, uint32_t chunk, ForChunk for_chunk) {
    const size_t count = inputs.size() / inputs_;
    for (size_t first = 0; first < count; first += chunk) {
        const auto rows = static_cast<uint32_t>(std::min<size_t>(chunk, count - first));
        graph_.plan_for(rows, stream_);
        upload(inputs.subspan(first * inputs_, size_t{rows} * inputs_), {}, rows);
        for_chunk(first, rows);
    }
}

std::vector<float> Evaluator::predict(std::span<const float> inputs, const Propagation& how, uint32_t chunk) {
    const size_t classes = graph_.classes();
    std::vector<float> probabilities(inputs.size() / inputs_ * classes);
    in_chunks(inputs, chunk, [&](size_t first, uint32_t rows) {
        const BufferView target = record_probabilities(rows, how);
        const auto part = std::span(probabilities).subspan(first * classes, rows * classes);
        stream_.download(target, std::as_writable_bytes(part));
    });
    return probabilities;
}

std::vector<float> Evaluator::output(size_t node, std::span<const float> inputs, Propagation how,
                                     uint32_t chunk) {
    how.watched.assign(graph_.node_count(), false);
    how.watched[node] = true;
    const size_t elements = graph_.elements(node);
    std::vector<float> values(inputs.size() / inputs_ * elements);
    in_chunks(inputs, chunk, [&](size_t first, uint32_t rows) {
        const BufferView x = BatchLayout(rows, inputs_).inputs(batch_);
        {
            const Transaction transaction(stream_.record());
            graph_.forward(stream_, rows, x, how);
        }
        const auto part = std::span(values).subspan(first * elements, rows * elements);
        stream_.download(graph_.output(node, rows, x), std::as_writable_bytes(part));
    });
    return values;
}

}  // namespace vknorm::detail
