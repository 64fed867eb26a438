#include "nn/block.hpp"

#include "ops/divergence.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

Block::Block(Device& device, uint32_t index, const HiddenLayer& options, const LayerTensors& tensors,
             uint32_t max_batch)
    : index_(index), function_(options.activation), tensors_(tensors), norm_(options.norm != Norm::none) {
    const std::string prefix = std::to_string(index) + ".";
    const auto tensor = [&](const char* name) {
        return Buffer(device, 4 * VkDeviceSize{max_batch} * units(), prefix + name);
    };
    pre_norm_ = tensor("pre_norm");
    if (norm_) normalized_ = tensor("normalized");
    activation_ = tensor("activation");
    gradient_ = tensor("gradient");
    linear_label_ = prefix + "linear";
    norm_label_ = prefix + "norm";
    activation_label_ = prefix + "activation";
}

bool Block::fused(const LayerPlan& plan, const Pass& pass) const {
    return plan.norm && function_ == Activation::relu && !pass.keep_normalized &&
           plan.norm->applies_relu(pass);
}

void Block::forward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                    const BufferView& x, const Pass& pass) const {
    const bool fuses = fused(plan, pass);
    {
        const Label label(recorder, (linear_label_ + " forward").c_str());
        plan.linear.forward(recorder, {.x = x,
                                       .weight = view_of(store.parameters, tensors_.weight),
                                       .bias = view_of(store.parameters, tensors_.bias),
                                       .y = pre_norm(rows)});
    }
    if (plan.norm) {
        const Label label(recorder, (norm_label_ + " forward").c_str());
        const BufferView y = fuses ? activation(rows) : normalized(rows);
        plan.norm->forward(recorder, store, *tensors_.norm, pre_norm(rows), y, pass, fuses);
    }
    if (fuses) return;
    const Label label(recorder, (activation_label_ + " forward").c_str());
    ActivationFunction(recorder.device(), {.function = function_, .rows = rows, .units = units()})
        .forward(recorder, {.x = normalized(rows),
                            .y = activation(rows),
                            .first_non_finite = first_non_finite_of(pass.health, index_)});
}

void Block::backward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                     const BufferView& x, const BufferView& dx, const Pass& pass) const {
    const BufferView dz = gradient(rows);
    const bool fuses = fused(plan, pass);
    if (!fuses) {
        const Label label(recorder, (activation_label_ + " backward").c_str());
        ActivationFunction(recorder.device(), {.function = function_, .rows = rows, .units = units()})
            .backward(recorder, {.y = activation(rows), .dy = dz, .dx = dz});
    }
    if (plan.norm) {
        const Label label(recorder, (norm_label_ + " backward").c_str());
        plan.norm->backward(recorder, store, *tensors_.norm, pre_norm(rows), dz, pass, fuses);
    }
    const Label label(recorder, (linear_label_ + " backward").c_str());
    plan.linear.backward(recorder, {.x = x,
                                    .dy = dz,
                                    .weight = view_of(store.parameters, tensors_.weight),
                                    .dx = dx,
                                    .dweight = view_of(store.gradient, tensors_.weight),
                                    .dbias = view_of(store.gradient, tensors_.bias)});
}

}  // namespace vknorm::detail
