#include "nn/model.hpp"

#include <algorithm>
#include <cmath>

#include "ops/arguments.hpp"
#include "ops/launch.hpp"

namespace vknorm::detail {

namespace {

void require_positive(const std::string& argument, uint32_t got) {
    if (got == 0) refuse("network", argument, "0", "at least 1");
}

const NetworkOptions& checked(const NetworkOptions& options) {
    require_positive("inputs", options.inputs);
    require_positive("classes", options.classes);
    require_positive("max_batch", options.max_batch);
    for (size_t i = 0; i < options.hidden.size(); ++i)
        require_positive("hidden[" + std::to_string(i) + "].units", options.hidden[i].units);
    if (!(options.init_scale >= 0) || !std::isfinite(options.init_scale))
        refuse("network", "init_scale", std::to_string(options.init_scale), "a finite number from 0 on");
    return options;
}

/// A buffer of `range.count` words; of one word where there are none, because no buffer is empty.
Buffer flat_buffer(Device& device, const Range& range, const char* name) {
    const VkDeviceSize bytes = 4 * std::max<uint64_t>(range.count, 1);
    require_range(device.capabilities(), std::string("network: ") + name, bytes);
    return Buffer(device, bytes, name);
}

}  // namespace

Model::Model(Device& device, const NetworkOptions& options)
    : device_(device), convention_(options.batch_norm), layout_(checked(options)) {
    // Whoever asks for too much learns it before memory is allocated.
    const VkDeviceSize scratch = plan(options.max_batch).scratch_bytes;
    set_batch_norm(options.batch_norm);
    store_.parameters = flat_buffer(device, layout_.parameters, "parameters");
    store_.gradient = flat_buffer(device, layout_.parameters, "gradient");
    store_.working = flat_buffer(device, layout_.running_words, "working running statistics");
    store_.committed = flat_buffer(device, layout_.running_words, "running statistics");
    store_.batch = flat_buffer(device, layout_.batch, "batch statistics");
    grow_scratch(scratch);
    blocks_.reserve(options.hidden.size());
    for (uint32_t i = 0; i < options.hidden.size(); ++i)
        blocks_.emplace_back(device, i, options.hidden[i], layout_.layers[i], options.max_batch);
    const VkDeviceSize bytes = 4 * VkDeviceSize{options.max_batch} * options.classes;
    logits_ = Buffer(device, bytes, "logits");
    dlogits_ = Buffer(device, bytes, "logits gradient");
}

void Model::initialize(Stream& stream, uint64_t seed, float scale) {
    stream.upload(store_.parameters, initial_parameters(layout_, seed, scale));
    fill(stream.record(), store_.gradient, 0);
    if (!has_norms()) return;
    const std::vector<uint32_t> running = initial_running(layout_);
    stream.upload(store_.committed, running);
    stream.upload(store_.working, running);
}

void Model::prepare(uint32_t rows, Stream& stream) {
    const VkDeviceSize needed = plan(rows).scratch_bytes;
    if (needed <= store_.scratch.bytes()) return;
    stream.wait(stream.submit());
    grow_scratch(needed);
}

const Model::Plan& Model::plan(uint32_t rows) {
    const auto found = plans_.find(rows);
    if (found != plans_.end()) return found->second;
    const Capabilities& capabilities = device_.capabilities();
    Plan plan{.layers = {}, .loss = {capabilities, rows, layout_.layers.back().outputs}, .scratch_bytes = 0};
    for (const LayerTensors& tensors : layout_.layers) {
        LayerPlan layer{.linear = {capabilities, rows, tensors.inputs, tensors.outputs}};
        if (tensors.norm) {
            // One row with batch statistics is refused by the Network, or wanted: evaluation.
            layer.norm.emplace(device_, BatchNormOptions{.shape = {rows, tensors.outputs},
                                                         .convention = convention_,
                                                         .single_value = SingleValue::normalize});
            plan.scratch_bytes = std::max(plan.scratch_bytes, layer.norm->scratch_bytes());
        }
        plan.layers.push_back(std::move(layer));
    }
    return plans_.emplace(rows, std::move(plan)).first->second;
}

void Model::grow_scratch(VkDeviceSize bytes) {
    store_.scratch = flat_buffer(device_, {0, ceil_div<uint64_t>(bytes, 4)}, "norm scratch");
}

void Model::set_batch_norm(const BatchNormConvention& convention) {
    // Checked also where no layer has a norm.
    (void)BatchNorm(device_, {.shape = {2, 1}, .convention = convention});
    convention_ = convention;
    plans_.clear();
}

void Model::forward(Recorder& recorder, uint32_t rows, const BufferView& x, const Pass& pass) const {
    const Plan& plan = plans_.at(rows);
    for (size_t i = 0; i < blocks_.size(); ++i)
        blocks_[i].forward(recorder, plan.layers[i], store_, rows, input_of(i, rows, x), pass);
    const Label label(recorder, "output forward");
    const LayerTensors& output = layout_.layers.back();
    plan.layers.back().linear.forward(recorder, {.x = input_of(blocks_.size(), rows, x),
                                                 .weight = view_of(store_.parameters, output.weight),
                                                 .bias = view_of(store_.parameters, output.bias),
                                                 .y = logits(rows)});
}

void Model::backward(Recorder& recorder, uint32_t rows, const BufferView& x, const BufferView& labels,
                     const BufferView& results, const Pass& pass) const {
    const Plan& plan = plans_.at(rows);
    const BufferView dlogits = classes_of(dlogits_, rows);
    {
        const Label label(recorder, "loss");
        plan.loss.train(recorder, {.logits = logits(rows),
                                   .labels = labels,
                                   .results = results,
                                   .dlogits = dlogits,
                                   .word = {pass.health, static_cast<uint32_t>(blocks_.size())}});
    }
    {
        const Label label(recorder, "output backward");
        const LayerTensors& output = layout_.layers.back();
        const Linear& linear = plan.layers.back().linear;
        linear.backward_parameters(recorder, {.x = input_of(blocks_.size(), rows, x),
                                              .dy = dlogits,
                                              .dweight = view_of(store_.gradient, output.weight),
                                              .dbias = view_of(store_.gradient, output.bias)});
        if (!blocks_.empty())
            linear.backward_input(recorder, {.dy = dlogits,
                                             .weight = view_of(store_.parameters, output.weight),
                                             .dx = blocks_.back().gradient(rows)});
    }
    for (size_t i = blocks_.size(); i-- > 0;)
        blocks_[i].backward(recorder, plan.layers[i], store_, rows, input_of(i, rows, x),
                            i == 0 ? BufferView{} : blocks_[i - 1].gradient(rows), pass);
}

}  // namespace vknorm::detail
