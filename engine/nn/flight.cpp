#include "nn/flight.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

constexpr VkDeviceSize view_alignment = 256;  // of every device

VkDeviceSize aligned(VkDeviceSize bytes) {
    return round_up(bytes, view_alignment);
}

BufferView block_tensor(const Block& block, Tensor tensor, uint32_t rows) {
    switch (tensor) {
        case Tensor::pre_norm:
            return block.pre_norm(rows);
        case Tensor::normalized:
            return block.normalized(rows);
        case Tensor::activation:
            return block.activation(rows);
        case Tensor::pre_norm_grad:
            return block.gradient(rows);
    }
    return {};
}

}  // namespace

BatchLayout::BatchLayout(uint32_t rows, uint32_t inputs)
    : input_bytes(4 * VkDeviceSize{rows} * inputs),
      labels_offset(aligned(input_bytes)),
      bytes(labels_offset + 4 * VkDeviceSize{rows}) {}

StepSlot::StepSlot(Device& device, const Model& model, uint32_t inputs, uint32_t max_batch)
    : inputs_(inputs), health_layers_(model.health_layers()) {
    const Layout& layout = model.layout();
    upload_ = Buffer(device, BatchLayout(max_batch, inputs).bytes, "step upload", Memory::upload);
    batch_offset_ = aligned(step_record_bytes(health_layers_));
    running_offset_ = batch_offset_ + 4 * layout.batch.count;
    affine_offset_ = running_offset_ + 4 * layout.running.count;
    readback_ = Buffer(device, affine_offset_ + 4 * layout.affine.count, "step readback", Memory::readback);
}

void StepSlot::fill(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels) {
    ticket = 0;
    step_ = step;
    rows_ = static_cast<uint32_t>(labels.size());
    const BatchLayout layout(rows_, inputs_);
    std::memcpy(upload_.mapped(), inputs.data(), inputs.size_bytes());
    std::memcpy(upload_.mapped() + layout.labels_offset, labels.data(), labels.size_bytes());
    const auto bad = std::find_if(inputs.begin(), inputs.end(), [](float x) { return !std::isfinite(x); });
    bad_input_.reset();
    if (bad != inputs.end()) bad_input_ = static_cast<size_t>(bad - inputs.begin());
}

void StepSlot::place_probes(Device& device, const Model& model, std::span<const NetworkProbe> probes) {
    probes_.clear();
    VkDeviceSize bytes = 0;
    for (const NetworkProbe& options : probes) {
        const Probe probe(device, options.options, rows_, model.blocks()[options.layer].units());
        probes_.push_back({options, probe, bytes});
        bytes = aligned(bytes + probe.result_bytes());
    }
    if (bytes > probe_readback_.bytes())
        probe_readback_ = Buffer(device, bytes, "probe readback", Memory::readback);
}

void StepSlot::record_upload(Recorder& recorder, const Buffer& batch) const {
    const VkDeviceSize bytes = BatchLayout(rows_, inputs_).bytes;
    copy(recorder, upload_.view(0, bytes), batch.view(0, bytes));
}

void StepSlot::record_readback(Recorder& recorder, const Model& model, Statistics statistics) {
    statistics_ = statistics;
    epsilon_ = double{model.batch_norm().epsilon};
    for (const PlacedProbe& placed : probes_)
        placed.probe.measure(
            recorder,
            {.tensor = block_tensor(model.blocks()[placed.options.layer], placed.options.tensor, rows_),
             .result = probe_readback_.view(placed.offset, placed.probe.result_bytes())});
    const Layout& layout = model.layout();
    const auto take = [&](const Buffer& source, const Range& range, VkDeviceSize offset) {
        if (range.count > 0) copy(recorder, view_of(source, range), readback_.view(offset, 4 * range.count));
    };
    take(model.store().saved, layout.batch, batch_offset_);
    take(model.store().committed, layout.running, running_offset_);
    take(model.store().parameters, layout.affine, affine_offset_);
}

StepReport StepSlot::report() const {
    return read_step_record({readback_.mapped(), step_record_bytes(health_layers_)});
}

const float* StepSlot::readback_floats(VkDeviceSize offset) const {
    return reinterpret_cast<const float*>(readback_.mapped() + offset);
}

StepSlot::Moments StepSlot::batch_moments(const NormTensors& norm, uint32_t rows_together,
                                          size_t unit) const {
    const float* const batch = readback_floats(batch_offset_);
    const uint64_t units = norm.gamma.count;
    Moments all;
    double rows = 0, squares = 0;  // squares: of deviations from the mean so far
    for (uint64_t part = 0; part * rows_together < rows_; ++part) {
        const double count =
            std::min<double>(rows_together, rows_ - static_cast<double>(part * rows_together));
        const double mean = batch[norm.mean.first + 2 * part * units + unit];
        const double inv_std = batch[norm.inv_std.first + part * units + unit];
        const double variance = inv_std == 0 ? 0 : std::max(0.0, 1 / (inv_std * inv_std) - epsilon_);
        const double apart = mean - all.mean, together = rows + count;
        squares += variance * count + apart * apart * rows * count / together;
        all.mean += apart * count / together;
        rows = together;
    }
    all.variance = squares / rows;
    return all;
}

std::vector<ChannelStatistics> StepSlot::layer_statistics(const Model& model, size_t layer) const {
    const Layout& layout = model.layout();
    const NormTensors& norm = *layout.layers[layer].norm;
    const float* const running = readback_floats(running_offset_);
    const float* const affine = readback_floats(affine_offset_);
    std::vector<ChannelStatistics> channels(norm.gamma.count);
    for (size_t i = 0; i < channels.size(); ++i) {
        ChannelStatistics& channel = channels[i];
        channel.gamma = affine[norm.gamma.first - layout.affine.first + i];
        if (norm.beta.count > 0) channel.beta = affine[norm.beta.first - layout.affine.first + i];
        channel.batch_mean = channel.batch_variance = channel.running_mean = channel.running_variance =
            std::numeric_limits<float>::quiet_NaN();
        if (norm.running_mean.count == 0) continue;
        channel.running_mean = running[norm.running_mean.first + i];
        channel.running_variance = running[norm.running_variance.first + i];
        if (statistics_ == Statistics::running) continue;
        const Moments moments = batch_moments(norm, model.rows_together(layer, rows_), i);
        channel.batch_mean = static_cast<float>(moments.mean);
        channel.batch_variance = static_cast<float>(moments.variance);
    }
    return channels;
}

StepResult StepSlot::result(const Model& model) const {
    const StepReport step_report = report();
    StepResult result;
    result.step = step_;
    result.loss = step_report.loss;
    result.accuracy = static_cast<float>(step_report.correct) / static_cast<float>(rows_);
    result.gradient_norm = step_report.gradient_norm;
    for (const PlacedProbe& placed : probes_)
        result.probes.push_back(
            placed.probe.decode({probe_readback_.mapped() + placed.offset, placed.probe.result_bytes()}));
    const Layout& layout = model.layout();
    for (size_t i = 0; i < model.blocks().size(); ++i)
        result.statistics.push_back(layout.layers[i].norm ? layer_statistics(model, i)
                                                          : std::vector<ChannelStatistics>());
    return result;
}

std::string StepSlot::diagnosis(const Model& model) const {
    if (bad_input_)
        return "input " + std::to_string(*bad_input_ % inputs_) + " of row " +
               std::to_string(*bad_input_ / inputs_) + " is not finite";
    const StepReport step_report = report();
    for (size_t i = 0; i < step_report.layers.size(); ++i) {
        uint32_t unit = step_report.layers[i];
        // A value that is not finite shows in the statistics where the norm has hidden it from the rest.
        const auto& norm = model.layout().layers[i].norm;
        for (const Range& range : norm ? std::array{norm->mean, norm->inv_std} : std::array<Range, 2>{})
            if (step_report.first_saved >= range.first && step_report.first_saved < range.end())
                unit = static_cast<uint32_t>((step_report.first_saved - range.first) % norm->gamma.count);
        if (unit == shaders::all_finite) continue;
        const bool logits = i == model.blocks().size();
        return (logits ? "the logit of class " : "hidden layer " + std::to_string(i) + ", unit ") +
               std::to_string(unit) + " is not finite";
    }
    if (step_report.first_running != shaders::all_finite) {
        for (size_t i = 0; i < model.blocks().size(); ++i) {
            const auto& norm = model.layout().layers[i].norm;
            if (!norm) continue;
            for (const Range& range : {norm->running_mean, norm->running_variance})
                if (step_report.first_running >= range.first && step_report.first_running < range.end())
                    return "running statistics of hidden layer " + std::to_string(i) + ", unit " +
                           std::to_string(step_report.first_running - range.first) + " are not finite";
        }
    }
    return "the gradient or its norm is not finite";
}

}  // namespace vknorm::detail
