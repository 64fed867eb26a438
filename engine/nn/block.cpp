#include "nn/block.hpp"

#include "ops/activation.hpp"
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

void Block::forward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                    const BufferView& x, const Pass& pass) const {
    {
        const Label label(recorder, (linear_label_ + " forward").c_str());
        plan.linear.forward(recorder, {.x = x,
                                       .weight = view_of(store.parameters, tensors_.weight),
                                       .bias = view_of(store.parameters, tensors_.bias),
                                       .y = pre_norm(rows)});
    }
    if (plan.norm) norm_forward(recorder, *plan.norm, store, rows, pass);
    const Label label(recorder, (activation_label_ + " forward").c_str());
    activation_forward(recorder, function_, rows, units(), normalized(rows), activation(rows),
                       {pass.health, index_});
}

void Block::norm_forward(Recorder& recorder, const BatchNorm& norm, const Store& store, uint32_t rows,
                         const Pass& pass) const {
    const Label label(recorder, (norm_label_ + " forward").c_str());
    const NormTensors& tensors = *tensors_.norm;
    const BufferView gamma = view_of(store.parameters, tensors.gamma),
                     beta = view_of(store.parameters, tensors.beta);
    if (pass.statistics == Statistics::running) {
        norm.forward_inference(recorder, {.x = pre_norm(rows),
                                          .y = normalized(rows),
                                          .gamma = gamma,
                                          .beta = beta,
                                          .running_mean = view_of(store.committed, tensors.running_mean),
                                          .running_var = view_of(store.committed, tensors.running_variance)});
        return;
    }
    BatchNorm::ForwardTraining arguments{.x = pre_norm(rows),
                                         .y = normalized(rows),
                                         .gamma = gamma,
                                         .beta = beta,
                                         .mean = view_of(store.batch, tensors.mean),
                                         .inv_std = view_of(store.batch, tensors.inv_std),
                                         .scratch = store.scratch};
    if (pass.update_running) {
        arguments.running_mean = view_of(store.working, tensors.running_mean);
        arguments.running_var = view_of(store.working, tensors.running_variance);
        arguments.num_batches_tracked = view_of(store.working, tensors.batches);
    }
    norm.forward_training(recorder, arguments);
}

void Block::backward(Recorder& recorder, const LayerPlan& plan, const Store& store, uint32_t rows,
                     const BufferView& x, const BufferView& dx, const Pass& pass) const {
    const BufferView dz = gradient(rows);
    {
        const Label label(recorder, (activation_label_ + " backward").c_str());
        activation_backward(recorder, function_, rows, units(), activation(rows), dz);
    }
    if (plan.norm) norm_backward(recorder, *plan.norm, store, rows, pass);
    const Label label(recorder, (linear_label_ + " backward").c_str());
    plan.linear.backward_parameters(recorder, {.x = x,
                                               .dy = dz,
                                               .dweight = view_of(store.gradient, tensors_.weight),
                                               .dbias = view_of(store.gradient, tensors_.bias)});
    if (dx)
        plan.linear.backward_input(
            recorder, {.dy = dz, .weight = view_of(store.parameters, tensors_.weight), .dx = dx});
}

void Block::norm_backward(Recorder& recorder, const BatchNorm& norm, const Store& store, uint32_t rows,
                          const Pass& pass) const {
    const Label label(recorder, (norm_label_ + " backward").c_str());
    const NormTensors& tensors = *tensors_.norm;
    const BufferView gamma = view_of(store.parameters, tensors.gamma), d = gradient(rows);
    BufferView dgamma, dbeta;
    if (pass.train_affine) {
        dgamma = view_of(store.gradient, tensors.gamma);
        dbeta = view_of(store.gradient, tensors.beta);
    }
    if (pass.statistics == Statistics::running)
        norm.backward_frozen(recorder, {.x = pre_norm(rows),
                                        .dy = d,
                                        .running_mean = view_of(store.committed, tensors.running_mean),
                                        .running_var = view_of(store.committed, tensors.running_variance),
                                        .gamma = gamma,
                                        .dx = d,
                                        .dgamma = dgamma,
                                        .dbeta = dbeta,
                                        .scratch = store.scratch});
    else
        norm.backward(recorder, {.x = pre_norm(rows),
                                 .dy = d,
                                 .mean = view_of(store.batch, tensors.mean),
                                 .inv_std = view_of(store.batch, tensors.inv_std),
                                 .gamma = gamma,
                                 .dx = d,
                                 .dgamma = dgamma,
                                 .dbeta = dbeta,
                                 .scratch = store.scratch});
}

}  // namespace vknorm::detail
