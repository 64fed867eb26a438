#include "nn/model.hpp"

#include <algorithm>
#include <cmath>

#include "ops/arguments.hpp"
#include "ops/divergence.hpp"
#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

const NetworkOptions& checked(const NetworkOptions& options) {
    require_positive("network", "inputs", options.inputs);
    require_positive("network", "classes", options.classes);
    require_positive("network", "max_batch", options.max_batch);
    for (size_t i = 0; i < options.hidden.size(); ++i) {
        const HiddenLayer& layer = options.hidden[i];
        const std::string name = "hidden[" + std::to_string(i) + "].";
        require_positive("network", name + "units", layer.units);
        if (layer.norm == Norm::group && (layer.groups == 0 || layer.units % layer.groups != 0))
            refuse("network", name + "groups", std::to_string(layer.groups),
                   "a divisor of its " + std::to_string(layer.units) + " units");
        if (layer.norm == Norm::ghost && layer.ghost_size < 2)
            refuse("network", name + "ghost_size", std::to_string(layer.ghost_size), "at least 2 rows");
    }
    if (!options.renorm) refuse("network", "renorm", "no function", "one");
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
    : device_(device), hidden_(options.hidden), convention_(options.batch_norm), layout_(checked(options)) {
    // Whoever asks for too much learns it before memory is allocated.
    set_batch_norm(options.batch_norm);
    const VkDeviceSize scratch = plan(options.max_batch).scratch_bytes;
    store_.parameters = flat_buffer(device, layout_.parameters, "parameters");
    store_.gradient = flat_buffer(device, layout_.parameters, "gradient");
    store_.working = flat_buffer(device, layout_.running_words, "working running statistics");
    store_.committed = flat_buffer(device, layout_.running_words, "running statistics");
    store_.saved = flat_buffer(device, layout_.saved, "saved statistics");
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
    fill(stream.record(), store_.saved, 0);
    if (layout_.running_words.count == 0) return;
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
    const uint32_t classes = layout_.layers.back().outputs;
    Plan plan{.layers = {}, .loss = {device_, {.rows = rows, .classes = classes}}, .scratch_bytes = 0};
    for (size_t i = 0; i < layout_.layers.size(); ++i) {
        const LayerTensors& tensors = layout_.layers[i];
        LayerPlan layer{
            .linear = {device_, {.rows = rows, .inputs = tensors.inputs, .outputs = tensors.outputs}}};
        if (tensors.norm) {
            layer.norm.emplace(device_, hidden_[i], rows, convention_);
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
    for (const HiddenLayer& layer : hidden_)
        if (layer.norm != Norm::none) (void)HiddenNorm(device_, layer, 2, convention);
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
        const auto layer = static_cast<uint32_t>(blocks_.size());
        plan.loss.forward_backward(recorder, {.logits = logits(rows),
                                              .labels = labels,
                                              .losses = results,
                                              .dlogits = dlogits,
                                              .first_non_finite = first_non_finite_of(pass.health, layer)});
    }
    {
        const Label label(recorder, "output backward");
        const LayerTensors& output = layout_.layers.back();
        const Linear& linear = plan.layers.back().linear;
        linear.backward(recorder, {.x = input_of(blocks_.size(), rows, x),
                                   .dy = dlogits,
                                   .weight = view_of(store_.parameters, output.weight),
                                   .dx = blocks_.empty() ? BufferView{} : blocks_.back().gradient(rows),
                                   .dweight = view_of(store_.gradient, output.weight),
                                   .dbias = view_of(store_.gradient, output.bias)});
    }
    for (size_t i = blocks_.size(); i-- > 0;)
        blocks_[i].backward(recorder, plan.layers[i], store_, rows, input_of(i, rows, x),
                            i == 0 ? BufferView{} : blocks_[i - 1].gradient(rows), pass);
}

}  // namespace vknorm::detail
