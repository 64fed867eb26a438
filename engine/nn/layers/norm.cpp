#include "nn/layers/norm.hpp"

#include <algorithm>

#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

using Shape = std::vector<uint32_t>;

BatchRenormOptions renorm_options(const Shape& shape, const BatchNormConvention& convention) {
    if (convention.momentum_form == Momentum::cumulative)
        refuse("network", "batch_norm.momentum_form", "cumulative",
               "weighs_new or weighs_old where a layer has batch renormalization");
    const bool weighs_new = convention.momentum_form == Momentum::weighs_new;
    // With the variance, evaluation, checkpoints and reports are those of batch normalization.
    return {.shape = shape,
            .momentum = weighs_new ? convention.momentum : 1 - convention.momentum,
            .epsilon = convention.epsilon,
            .moving = MovingDeviation::variance};
}

/// One norm's part of a pass.
struct Site {
    const Store& store;
    const NormTensors& tensors;
    const Pass& pass;
    BufferView x;
    bool relu;

    BufferView parameter(const Range& range) const { return view_of(store.parameters, range); }
    BufferView gradient(const Range& range) const {
        return pass.train_affine ? view_of(store.gradient, range) : BufferView{};
    }
    BufferView saved(const Range& range) const { return view_of(store.saved, range); }
    /// Absent when they are to stay as they are.
    BufferView updated(const Range& range) const {
        return pass.update_running ? view_of(store.working, range) : BufferView{};
    }
};

// Norms of one kind have arguments of the same names.
template <class BatchKind>
typename BatchKind::ForwardTraining batch_arguments(const Site& site, const BufferView& y) {
    const NormTensors& t = site.tensors;
    return {.x = site.x,
            .y = y,
            .gamma = site.parameter(t.gamma),
            .beta = site.parameter(t.beta),
            .mean = site.saved(t.mean),
            .inv_std = site.saved(t.inv_std),
            .running_mean = site.updated(t.running_mean),
            .running_var = site.updated(t.running_variance),
            .num_batches_tracked = site.updated(t.batches),
            .scratch = site.store.scratch};
}

template <class RowKind>
void row_forward(Recorder& recorder, const RowKind& norm, const Site& site, const BufferView& y) {
    const NormTensors& t = site.tensors;
    norm.forward(recorder, {.x = site.x,
                            .y = y,
                            .gamma = site.parameter(t.gamma),
                            .beta = site.parameter(t.beta),
                            .mean = site.saved(t.mean),
                            .inv_std = site.saved(t.inv_std),
                            .scratch = site.store.scratch});
}

void forward(Recorder& recorder, const BatchNorm& norm, const Site& site, const BufferView& y) {
    auto arguments = batch_arguments<BatchNorm>(site, y);
    arguments.relu = site.relu;
    norm.forward_training(recorder, arguments);
}

void forward(Recorder& recorder, const GhostBatchNorm& norm, const Site& site, const BufferView& y) {
    norm.forward_training(recorder, batch_arguments<GhostBatchNorm>(site, y));
}

void forward(Recorder& recorder, const LayerNorm& norm, const Site& site, const BufferView& y) {
    row_forward(recorder, norm, site, y);
}

void forward(Recorder& recorder, const GroupNorm& norm, const Site& site, const BufferView& y) {
    row_forward(recorder, norm, site, y);
}

void forward(Recorder& recorder, const RmsNorm& norm, const Site& site, const BufferView& y) {
    const NormTensors& t = site.tensors;
    norm.forward(recorder, {.x = site.x,
                            .y = y,
                            .gamma = site.parameter(t.gamma),
                            .inv_rms = site.saved(t.inv_std),
                            .scratch = site.store.scratch});
}

void forward(Recorder& recorder, const BatchRenorm& norm, const Site& site, const BufferView& y) {
    const NormTensors& t = site.tensors;
    const Store& store = site.store;
    norm.forward_training(recorder, {.x = site.x,
                                     .y = y,
                                     .gamma = site.parameter(t.gamma),
                                     .beta = site.parameter(t.beta),
                                     .moving_mean = view_of(store.working, t.running_mean),
                                     .moving_deviation = view_of(store.working, t.running_variance),
                                     .mean = site.saved(t.mean),
                                     .inv_std = site.saved(t.inv_std),
                                     .r = site.saved(t.r),
                                     .d = site.saved(t.d),
                                     .num_batches_tracked = site.updated(t.batches),
                                     .limits = site.pass.renorm,
                                     .scratch = store.scratch});
    if (site.pass.update_running) return;
    // It needs them, and always updates what it is given.
    for (const Range& range : {t.running_mean, t.running_variance})
        copy(recorder, view_of(store.committed, range), view_of(store.working, range));
}

template <class MeanAndDeviation>
void backward(Recorder& recorder, const MeanAndDeviation& norm, const Site& site, const BufferView& d) {
    const NormTensors& t = site.tensors;
    typename MeanAndDeviation::Backward arguments{.x = site.x,
                                                  .dy = d,
                                                  .mean = site.saved(t.mean),
                                                  .inv_std = site.saved(t.inv_std),
                                                  .gamma = site.parameter(t.gamma),
                                                  .dx = d,
                                                  .dgamma = site.gradient(t.gamma),
                                                  .dbeta = site.gradient(t.beta),
                                                  .scratch = site.store.scratch};
    if constexpr (std::is_same_v<MeanAndDeviation, BatchNorm>) {
        arguments.relu = site.relu;
        arguments.beta = site.parameter(t.beta);
    }
    norm.backward(recorder, arguments);
}

void backward(Recorder& recorder, const BatchRenorm& norm, const Site& site, const BufferView& d) {
    const NormTensors& t = site.tensors;
    norm.backward(recorder, {.x = site.x,
                             .dy = d,
                             .mean = site.saved(t.mean),
                             .inv_std = site.saved(t.inv_std),
                             .r = site.saved(t.r),
                             .d = site.saved(t.d),
                             .gamma = site.parameter(t.gamma),
                             .dx = d,
                             .dgamma = site.gradient(t.gamma),
                             .dbeta = site.gradient(t.beta),
                             .scratch = site.store.scratch});
}

void backward(Recorder& recorder, const RmsNorm& norm, const Site& site, const BufferView& d) {
    const NormTensors& t = site.tensors;
    norm.backward(recorder, {.x = site.x,
                             .dy = d,
                             .inv_rms = site.saved(t.inv_std),
                             .gamma = site.parameter(t.gamma),
                             .dx = d,
                             .dgamma = site.gradient(t.gamma),
                             .scratch = site.store.scratch});
}

}  // namespace

HiddenNorm::Plan HiddenNorm::plan(Device& device, const HiddenLayer& layer, uint32_t rows,
                                  const BatchNormConvention& convention) {
    const Shape shape{rows, layer.units};
    switch (layer.norm) {
        case Norm::layer:
            return LayerNorm(device, {.shape = shape, .epsilon = convention.epsilon});
        case Norm::rms:
            return RmsNorm(device, {.shape = shape, .epsilon = convention.epsilon});
        case Norm::group:
            return GroupNorm(device, {.shape = shape, .groups = layer.groups, .epsilon = convention.epsilon});
        case Norm::ghost:
            return GhostBatchNorm(device, {.shape = shape,
                                           .ghost_size = layer.ghost_size,
                                           .convention = convention,
                                           .single_value = SingleValue::normalize});
        case Norm::batch_renorm: {
            BatchRenorm norm(device, renorm_options(shape, convention));
            // It has no meaning for a single row, which is evaluated only.
            if (rows > 1) return norm;
            break;
        }
        case Norm::none:
        case Norm::batch:
            break;
    }
    // One row with batch statistics is refused by the Network, or wanted: evaluation.
    return BatchNorm(device,
                     {.shape = shape, .convention = convention, .single_value = SingleValue::normalize});
}

HiddenNorm::HiddenNorm(Device& device, const HiddenLayer& layer, uint32_t rows,
                       const BatchNormConvention& convention)
    : plan_(plan(device, layer, rows, convention)) {
    if (keeps_running_statistics(layer.norm))
        with_running_.emplace(device,
                              BatchNormOptions{.shape = {rows, layer.units}, .convention = convention});
}

VkDeviceSize HiddenNorm::scratch_bytes() const {
    const VkDeviceSize bytes = std::visit([](const auto& norm) { return norm.scratch_bytes(); }, plan_);
    return with_running_ ? std::max(bytes, with_running_->scratch_bytes()) : bytes;
}

bool HiddenNorm::applies_relu(const Pass& pass) const {
    // Only what is saved with batch statistics shows that a value was not finite, which a ReLU may hide.
    return pass.statistics == Statistics::batch && std::holds_alternative<BatchNorm>(plan_);
}

std::string HiddenNorm::explain() const {
    return std::visit([](const auto& norm) { return norm.explain(); }, plan_);
}

void HiddenNorm::forward(Recorder& recorder, const Store& store, const NormTensors& tensors,
                         const BufferView& x, const BufferView& y, const Pass& pass, bool relu) const {
    const Site site{store, tensors, pass, x, relu};
    if (with_running_ && pass.statistics == Statistics::running)
        with_running_->forward_inference(recorder,
                                         {.x = x,
                                          .y = y,
                                          .gamma = site.parameter(tensors.gamma),
                                          .beta = site.parameter(tensors.beta),
                                          .running_mean = view_of(store.committed, tensors.running_mean),
                                          .running_var = view_of(store.committed, tensors.running_variance)});
    else
        std::visit([&](const auto& norm) { detail::forward(recorder, norm, site, y); }, plan_);
}

void HiddenNorm::backward(Recorder& recorder, const Store& store, const NormTensors& tensors,
                          const BufferView& x, const BufferView& d, const Pass& pass, bool relu) const {
    const Site site{store, tensors, pass, x, relu};
    if (with_running_ && pass.statistics == Statistics::running)
        with_running_->backward_frozen(recorder,
                                       {.x = x,
                                        .dy = d,
                                        .running_mean = view_of(store.committed, tensors.running_mean),
                                        .running_var = view_of(store.committed, tensors.running_variance),
                                        .gamma = site.parameter(tensors.gamma),
                                        .dx = d,
                                        .dgamma = site.gradient(tensors.gamma),
                                        .dbeta = site.gradient(tensors.beta),
                                        .scratch = store.scratch});
    else
        std::visit([&](const auto& norm) { detail::backward(recorder, norm, site, d); }, plan_);
}

}  // namespace vknorm::detail
