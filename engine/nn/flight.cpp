#include "nn/flight.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

VkDeviceSize aligned(VkDeviceSize bytes) {
    return round_up<VkDeviceSize>(bytes, binding_alignment);
}

Range reported(const StoreLayout& layout) {
    return layout.range(TensorGroup::watched, TensorGroup::reported);
}

/// Where in its tensor an element of a flat buffer stands.
uint64_t position(const StoreLayout& layout, const StoreLayout::Entry& entry, uint64_t element) {
    return element - layout.range(entry.stored).first;
}

}  // namespace

BatchLayout::BatchLayout(uint32_t rows, uint32_t inputs)
    : input_bytes(4 * VkDeviceSize{rows} * inputs),
      labels_offset(aligned(input_bytes)),
      bytes(labels_offset + 4 * VkDeviceSize{rows}) {}

Flight::Flight(Device& device, const DeviceGraph& graph)
    : inputs_(graph.elements(0)), words_(static_cast<uint32_t>(graph.node_count())) {
    const StoreLayout& layout = graph.store().layout;
    const NetworkOptions& options = graph.options();
    micro_batches_.resize(options.accumulate);
    upload_ = Buffer(device, BatchLayout(options.accumulate * options.max_batch, inputs_).bytes,
                     "step upload", Memory::upload);
    reported_offset_ = aligned(step_record_bytes(words_));
    running_offset_ = reported_offset_ + 4 * reported(layout).count;
    affine_offset_ = running_offset_ + 4 * layout.range(TensorGroup::running).count;
    readback_ = Buffer(device, affine_offset_ + 4 * layout.range(TensorGroup::affine).count, "step readback",
                       Memory::readback);
}

void Flight::fill(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels) {
    ticket = 0;
    step_ = step;
    rows_ = static_cast<uint32_t>(labels.size());
    means_.reset();
    micro_batches_ = detail::micro_batches(rows_, static_cast<uint32_t>(micro_batches_.size()));
    const BatchLayout layout(rows_, inputs_);
    if (rows_ > 0) {
        std::memcpy(upload_.mapped(), inputs.data(), inputs.size_bytes());
        std::memcpy(upload_.mapped() + layout.labels_offset, labels.data(), labels.size_bytes());
    }
    const auto bad = std::find_if(inputs.begin(), inputs.end(), [](float x) { return !std::isfinite(x); });
    bad_input_.reset();
    if (bad != inputs.end()) bad_input_ = static_cast<size_t>(bad - inputs.begin());
}

void Flight::place_probes(Device& device, const DeviceGraph& graph, std::span<const NetworkProbe> probes) {
    probes_.clear();
    if (!measures()) return;
    VkDeviceSize bytes = 0, normalized_bytes = 0;
    for (const NetworkProbe& asked : probes) {
        const size_t node = graph.find(asked.node).value();
        const Probe probe(device, asked.options, measured_rows(), graph.channels(node),
                          graph.positions(node));
        probes_.push_back({asked.name(), node, asked.tensor, probe, bytes});
        bytes = aligned(bytes + probe.result_bytes());
        if (asked.tensor == Tensor::normalized)
            normalized_bytes =
                std::max(normalized_bytes, 4 * VkDeviceSize{measured_rows()} * graph.elements(node));
    }
    if (normalized_bytes > normalized_.bytes())
        normalized_ = Buffer(device, normalized_bytes, "normalized values");
    if (bytes > probe_readback_.bytes())
        probe_readback_ = Buffer(device, bytes, "probe readback", Memory::readback);
}

void Flight::place_captures(Device& device, const DeviceGraph& graph, std::span<const size_t> norms) {
    captures_.resize(measures() ? norms.size() : 0);
    for (size_t i = 0; i < captures_.size(); ++i)
        captures_[i].place(device, graph, norms[i], measured_rows());
}

void Flight::record_upload(Recorder& recorder, const MicroBatch& micro_batch, const Buffer& batch) const {
    const BatchLayout whole(rows_, inputs_), part(micro_batch.rows, inputs_);
    const BufferView inputs = part.inputs(batch), labels = part.labels(batch);
    const VkDeviceSize first = 4 * VkDeviceSize{micro_batch.first};
    copy(recorder, upload_.view(first * inputs_, inputs.bytes), inputs);
    copy(recorder, upload_.view(whole.labels_offset + first, labels.bytes), labels);
}

void Flight::record_probe(Recorder& recorder, const PlacedProbe& placed, const BufferView& tensor) const {
    placed.probe.measure(
        recorder,
        {.tensor = tensor, .result = probe_readback_.view(placed.offset, placed.probe.result_bytes())});
}

void Flight::record_found(Recorder& recorder, const DeviceGraph& graph) {
    for (Capture& capture : captures_) capture.record_found(recorder, graph.store());
}

void Flight::record_parameter_gradients(Recorder& recorder, const DeviceGraph& graph,
                                        const Propagation& how) {
    for (Capture& capture : captures_) {
        const bool frozen = !how.frozen_parameters.empty() && how.frozen_parameters[capture.node()];
        if (how.train_affine && !frozen) capture.record_parameter_gradients(recorder, graph.store());
    }
}

void Flight::record_gradient_probes(Recorder& recorder, const DeviceGraph& graph, size_t node) {
    for (Capture& capture : captures_) capture.record_gradient(recorder, graph, node);
    for (const PlacedProbe& placed : probes_)
        if (placed.node == node && placed.tensor == Tensor::output_gradient)
            record_probe(recorder, placed, graph.gradient(node, measured_rows()));
}

void Flight::record_readback(Recorder& recorder, const DeviceGraph& graph, const BufferView& x,
                             Statistics statistics, std::vector<bool> frozen_statistics) {
    statistics_ = statistics;
    frozen_statistics_ = std::move(frozen_statistics);
    epsilon_ = graph.options().batch_norm.epsilon;
    for (const PlacedProbe& placed : probes_)
        if (placed.tensor == Tensor::output) {
            record_probe(recorder, placed, graph.output(placed.node, measured_rows(), x));
        } else if (placed.tensor == Tensor::normalized) {
            const BufferView values = normalized_values(graph, placed.node);
            graph.normalize(recorder, placed.node, measured_rows(), x,
                            {.statistics = normalized_with(placed.node)}, values);
            record_probe(recorder, placed, values);
        }
    for (Capture& capture : captures_)
        capture.record_results(recorder, graph, x, normalized_with(capture.node()) == Statistics::running);
    const Store& store = graph.store();
    const auto take = [&](const Buffer& source, const Range& range, VkDeviceSize offset) {
        if (range.count > 0) copy(recorder, view_of(source, range), readback_.view(offset, 4 * range.count));
    };
    take(store.saved, reported(store.layout), reported_offset_);
    take(store.committed, store.layout.range(TensorGroup::running), running_offset_);
    take(store.parameters, store.layout.range(TensorGroup::affine), affine_offset_);
}

Statistics Flight::normalized_with(size_t node) const {
    return !frozen_statistics_.empty() && frozen_statistics_[node] ? Statistics::running : statistics_;
}

StepReport Flight::report() const {
    return read_step_record({readback_.mapped(), step_record_bytes(words_)});
}

StoreCopy Flight::store_copy(const StoreLayout& layout) const {
    const auto floats = [&](VkDeviceSize offset, const Range& range) {
        return std::span(reinterpret_cast<const float*>(readback_.mapped() + offset), range.count);
    };
    return {.layout = layout,
            .affine = floats(affine_offset_, layout.range(TensorGroup::affine)),
            .running = floats(running_offset_, layout.range(TensorGroup::running)),
            .reported = floats(reported_offset_, reported(layout))};
}

StepResult Flight::result(const DeviceGraph& graph) const {
    const StepReport step_report = report();
    StepResult result;
    result.step = step_;
    result.loss = means_ ? means_->loss : step_report.loss;
    result.accuracy =
        means_ ? means_->accuracy : static_cast<float>(step_report.correct) / static_cast<float>(rows_);
    result.gradient_norm = step_report.gradient_norm;
    result.refused_batches = step_report.refused;
    for (const PlacedProbe& placed : probes_)
        result.probes[placed.name] =
            placed.probe.decode({probe_readback_.mapped() + placed.offset, placed.probe.result_bytes()});
    const StoreCopy copy = store_copy(graph.store().layout);
    for (size_t n = 0; n < graph.node_count(); ++n) {
        auto statistics = graph.layer(n).statistics(
            copy,
            {.rows = std::max(measured_rows(), 1u), .statistics = normalized_with(n), .epsilon = epsilon_});
        if (!statistics.empty()) result.statistics[graph.name(n)] = std::move(statistics);
    }
    for (const Capture& capture : captures_) result.captured[graph.name(capture.node())] = capture.result();
    return result;
}

std::string Flight::diagnosis(const DeviceGraph& graph) const {
    if (bad_input_)
        return "input " + std::to_string(*bad_input_ % inputs_) + " of row " +
               std::to_string(*bad_input_ / inputs_) + " is not finite";
    const StepReport step_report = report();
    const StoreLayout& layout = graph.store().layout;
    const StoreLayout::Entry* const saved = layout.find(TensorGroup::watched, step_report.first_saved);
    // The smallest element that is not finite is in the smallest such channel.
    const auto channel_of = [&](size_t node, uint64_t channel) {
        return graph.name(node) + (graph.positions(node) > 1 ? ", channel " : ", unit ") +
               std::to_string(channel);
    };
    for (size_t n = 0; n < graph.node_count(); ++n) {
        const uint32_t element = step_report.layers[n];
        uint64_t channel = element / graph.positions(n);
        // A value that is not finite shows in the statistics where the norm has hidden it from the rest.
        const bool hidden = saved != nullptr && saved->node == graph.name(n);
        if (hidden) channel = position(layout, *saved, step_report.first_saved) % graph.channels(n);
        if (!hidden && element == shaders::all_finite) continue;
        const bool logits = n + 1 == graph.node_count();
        return (logits ? "the logit of class " + std::to_string(channel) : channel_of(n, channel)) +
               " is not finite";
    }
    const StoreLayout::Entry* const running = layout.find(TensorGroup::running, step_report.first_running);
    if (running != nullptr)
        return "running statistics of " +
               channel_of(graph.find(running->node).value(),
                          position(layout, *running, step_report.first_running)) +
               " are not finite";
    return "the gradient or its norm is not finite";
}

}  // namespace vknorm::detail
