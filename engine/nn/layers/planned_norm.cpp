#include "nn/layers/planned_norm.hpp"

#include <algorithm>

#include "ops/arguments.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

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

/// Each row is normalized over all it has.
LayerNormOptions row_options(const Shape& shape, const BatchNormConvention& convention) {
    return {.shape = shape,
            .normalized_dimensions = static_cast<uint32_t>(shape.size() - 1),
            .epsilon = convention.epsilon};
}

/// One norm's part of a pass.
struct Site {
    const Store& store;
    const NormTensors& tensors;
    const Propagation& how;
    BufferView x;
    BufferView residual{};   // of forward
    BufferView y{};          // for backward, where a residual was added before the ReLU
    BufferView dresidual{};  // of backward
    bool relu = false;

    BufferView parameter(const StoredTensor& tensor) const { return store.parameter(tensor); }
    BufferView gradient(const StoredTensor& tensor) const {
        return how.train_affine ? store.gradient(tensor) : BufferView{};
    }
    BufferView saved(const StoredTensor& tensor) const { return store.kept(tensor); }
    /// Absent when they are to stay as they are.
    BufferView updated(const StoredTensor& tensor) const {
        return how.update_running ? store.updated(tensor) : BufferView{};
    }
};

/// The gradients of the output and, unless absent, of the input.
struct Slopes {
    BufferView dy, dx;
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
    arguments.residual = site.residual;
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
    norm.forward_training(recorder, {.x = site.x,
                                     .y = y,
                                     .gamma = site.parameter(t.gamma),
                                     .beta = site.parameter(t.beta),
                                     .moving_mean = site.store.updated(t.running_mean),
                                     .moving_deviation = site.store.updated(t.running_variance),
                                     .mean = site.saved(t.mean),
                                     .inv_std = site.saved(t.inv_std),
                                     .r = site.saved(t.r),
                                     .d = site.saved(t.d),
                                     .num_batches_tracked = site.updated(t.batches),
                                     .limits = site.how.renorm,
                                     .scratch = site.store.scratch});
    if (site.how.update_running) return;
    // It needs them, and always updates what it is given.
    for (const StoredTensor& tensor : {t.running_mean, t.running_variance})
        copy(recorder, site.store.running(tensor), site.store.updated(tensor));
}

template <class MeanAndDeviation>
void backward(Recorder& recorder, const MeanAndDeviation& norm, const Site& site, const Slopes& slopes) {
    const NormTensors& t = site.tensors;
    typename MeanAndDeviation::Backward arguments{.x = site.x,
                                                  .dy = slopes.dy,
                                                  .mean = site.saved(t.mean),
                                                  .inv_std = site.saved(t.inv_std),
                                                  .gamma = site.parameter(t.gamma),
                                                  .dx = slopes.dx,
                                                  .dgamma = site.gradient(t.gamma),
                                                  .dbeta = site.gradient(t.beta),
                                                  .scratch = site.store.scratch};
    if constexpr (std::is_same_v<MeanAndDeviation, BatchNorm>) {
        arguments.relu = site.relu;
        arguments.y = site.y;
        arguments.beta = site.parameter(t.beta);
        arguments.dresidual = site.dresidual;
    }
    norm.backward(recorder, arguments);
}

void backward(Recorder& recorder, const BatchRenorm& norm, const Site& site, const Slopes& slopes) {
    const NormTensors& t = site.tensors;
    norm.backward(recorder, {.x = site.x,
                             .dy = slopes.dy,
                             .mean = site.saved(t.mean),
                             .inv_std = site.saved(t.inv_std),
                             .r = site.saved(t.r),
                             .d = site.saved(t.d),
                             .gamma = site.parameter(t.gamma),
                             .dx = slopes.dx,
                             .dgamma = site.gradient(t.gamma),
                             .dbeta = site.gradient(t.beta),
                             .scratch = site.store.scratch});
}

void backward(Recorder& recorder, const RmsNorm& norm, const Site& site, const Slopes& slopes) {
    const NormTensors& t = site.tensors;
    norm.backward(recorder, {.x = site.x,
                             .dy = slopes.dy,
                             .inv_rms = site.saved(t.inv_std),
                             .gamma = site.parameter(t.gamma),
                             .dx = slopes.dx,
                             .dgamma = site.gradient(t.gamma),
                             .scratch = site.store.scratch});
}

}  // namespace

PlannedNorm::PlannedNorm(Device& device, const NormLayer& layer, const NormTensors& tensors,
                         const BatchNormConvention& convention, const Shape& shape)
    : tensors_(tensors), kind_(kind(device, layer, convention, shape)) {
    const BatchNormOptions options{.shape = shape, .convention = convention};
    if (tensors.sums) stages_.emplace(device, options);
    if (!keeps_running_statistics(layer.kind)) return;
    with_running_.emplace(device, options);
    BatchNormOptions at_once = options;
    at_once.convention.momentum_form = Momentum::weighs_new;
    at_once.convention.momentum = 1;
    pooled_.emplace(device, at_once);
}

PlannedNorm::Kind PlannedNorm::kind(Device& device, const NormLayer& layer,
                                    const BatchNormConvention& convention, const Shape& shape) {
    switch (layer.kind) {
        case Norm::layer:
            return LayerNorm(device, row_options(shape, convention));
        case Norm::rms:
            return RmsNorm(device, row_options(shape, convention));
        case Norm::group:
            return GroupNorm(device, {.shape = shape, .groups = layer.groups, .epsilon = convention.epsilon});
        case Norm::instance:  // every channel is a group
            return GroupNorm(device, {.shape = shape, .groups = shape[1], .epsilon = convention.epsilon});
        case Norm::ghost:
            return GhostBatchNorm(device, {.shape = shape,
                                           .ghost_size = layer.ghost_size,
                                           .convention = convention,
                                           .single_value = SingleValue::normalize});
        case Norm::batch_renorm: {
            BatchRenorm norm(device, renorm_options(shape, convention));
            // It has no meaning for a single value, which is evaluated only.
            if (elements_of(shape) > shape[1]) return norm;
            break;
        }
        case Norm::none:
        case Norm::batch:
            break;
    }
    // One value with batch statistics is refused by the Network, or wanted: evaluation.
    return BatchNorm(device,
                     {.shape = shape, .convention = convention, .single_value = SingleValue::normalize});
}

VkDeviceSize PlannedNorm::scratch_bytes() const {
    VkDeviceSize bytes = std::visit([](const auto& norm) { return norm.scratch_bytes(); }, kind_);
    if (with_running_) bytes = std::max(bytes, with_running_->scratch_bytes());
    for (const auto* const stages : {&stages_, &pooled_})
        if (*stages) bytes = std::max(bytes, (*stages)->scratch_bytes());
    return bytes;
}

bool PlannedNorm::fuses(const Propagation& how) const {
    // Only what is saved with batch statistics shows that a value was not finite, which a ReLU may hide.
    return how.statistics == Statistics::batch && std::holds_alternative<BatchNorm>(kind_) && !exchanged(how);
}

std::string PlannedNorm::explain() const {
    return std::visit([](const auto& norm) { return norm.explain(); }, kind_);
}

BufferView PlannedNorm::measure(Recorder& recorder, const ForwardViews& views) const {
    if (!exchanged(views.how)) return {};
    const BufferView moments = views.store.kept(tensors_.moments);
    if (views.x.empty())
        fill(recorder, moments, 0);
    else
        stages_->measure(recorder, {.x = views.x[0], .moments = moments, .scratch = views.store.scratch});
    return moments;
}

void PlannedNorm::pool(Recorder& recorder, const ForwardViews& views, bool first) const {
    if (!pooled_) return;
    if (views.x.empty()) return fill(recorder, pooled(views.store), 0);
    pooled_->measure(recorder, {.x = views.x[0],
                                .moments = views.store.kept(tensors_.moments),
                                .accumulate = !first,
                                .scratch = views.store.scratch});
}

BufferView PlannedNorm::pooled(const Store& store) const {
    return pooled_ ? store.kept(tensors_.moments) : BufferView{};
}

void PlannedNorm::take_pooled(Recorder& recorder, const Store& store) const {
    if (!pooled_) return;
    pooled_->finish(recorder, {.moments = store.kept(tensors_.moments),
                               .mean = store.kept(tensors_.mean),
                               .inv_std = store.kept(tensors_.inv_std),
                               .running_mean = store.updated(tensors_.running_mean),
                               .running_var = store.updated(tensors_.running_variance)});
}

void PlannedNorm::forward(Recorder& recorder, const ForwardViews& views) const {
    const Site site{.store = views.store,
                    .tensors = tensors_,
                    .how = views.how,
                    .x = views.x.empty() ? BufferView{} : views.x[0],
                    .residual = views.residual,
                    .relu = views.relu};
    const BufferView gamma = site.parameter(tensors_.gamma), beta = site.parameter(tensors_.beta),
                     mean = site.saved(tensors_.mean), inv_std = site.saved(tensors_.inv_std);
    if (by_running(views.how)) {
        with_running_->forward_inference(recorder,
                                         {.x = site.x,
                                          .y = views.y,
                                          .gamma = gamma,
                                          .beta = beta,
                                          .running_mean = views.store.running(tensors_.running_mean),
                                          .running_var = views.store.running(tensors_.running_variance)});
    } else if (exchanged(views.how)) {
        stages_->finish(recorder, {.moments = site.saved(tensors_.moments),
                                   .mean = mean,
                                   .inv_std = inv_std,
                                   .running_mean = site.updated(tensors_.running_mean),
                                   .running_var = site.updated(tensors_.running_variance),
                                   .num_batches_tracked = site.updated(tensors_.batches)});
        if (!site.x) return;
        stages_->normalize(
            recorder,
            {.x = site.x, .y = views.y, .gamma = gamma, .beta = beta, .mean = mean, .inv_std = inv_std});
    } else {
        std::visit([&](const auto& norm) { detail::forward(recorder, norm, site, views.y); }, kind_);
    }
}

void PlannedNorm::normalize(Recorder& recorder, const ForwardViews& views) const {
    NormTensors bare = tensors_;
    for (StoredTensor NormTensors::*const tensor :
         {&NormTensors::gamma, &NormTensors::beta, &NormTensors::running_mean, &NormTensors::running_variance,
          &NormTensors::batches})
        bare.*tensor = {};
    const Site site{.store = views.store, .tensors = bare, .how = views.how, .x = views.x[0]};
    const bool ghosts = std::holds_alternative<GhostBatchNorm>(kind_);
    if (by_running(views.how))
        with_running_->forward_inference(recorder,
                                         {.x = site.x,
                                          .y = views.y,
                                          .running_mean = views.store.running(tensors_.running_mean),
                                          .running_var = views.store.running(tensors_.running_variance)});
    else if (pooled_ && !ghosts)  // r and d are those of the step, too
        pooled_->normalize(recorder, {.x = site.x,
                                      .y = views.y,
                                      .gamma = site.saved(tensors_.r),
                                      .beta = site.saved(tensors_.d),
                                      .mean = site.saved(tensors_.mean),
                                      .inv_std = site.saved(tensors_.inv_std)});
    else  // which saves the statistics once more, with the same bits
        std::visit([&](const auto& norm) { detail::forward(recorder, norm, site, views.y); }, kind_);
}

BufferView PlannedNorm::sum(Recorder& recorder, const BackwardViews& views) const {
    if (!exchanged(views.how)) return {};
    const BufferView sums = views.store.kept(tensors_.sums);
    if (views.x.empty()) {
        fill(recorder, sums, 0);
        return sums;
    }
    const Site site{.store = views.store, .tensors = tensors_, .how = views.how, .x = views.x[0]};
    stages_->sum(recorder, {.x = site.x,
                            .dy = views.dy,
                            .mean = site.saved(tensors_.mean),
                            .inv_std = site.saved(tensors_.inv_std),
                            .sums = sums,
                            .scratch = views.store.scratch});
    // Gradients of parameters are exchanged with those of all others: these are this part's.
    if (views.how.train_affine)
        stages_->parameter_gradients(
            recorder,
            {.sums = sums, .dgamma = site.gradient(tensors_.gamma), .dbeta = site.gradient(tensors_.beta)});
    return sums;
}

void PlannedNorm::backward(Recorder& recorder, const BackwardViews& views) const {
    const Site site{.store = views.store,
                    .tensors = tensors_,
                    .how = views.how,
                    .x = views.x[0],
                    .y = views.residual ? views.y : BufferView{},
                    .dresidual = views.dresidual,
                    .relu = views.relu};
    const Slopes slopes{views.dy, views.dx[0]};
    if (!slopes.dx && !site.dresidual && !views.how.train_affine) return;
    if (by_running(views.how)) {
        with_running_->backward_frozen(recorder,
                                       {.x = site.x,
                                        .dy = slopes.dy,
                                        .running_mean = views.store.running(tensors_.running_mean),
                                        .running_var = views.store.running(tensors_.running_variance),
                                        .gamma = site.parameter(tensors_.gamma),
                                        .dx = slopes.dx,
                                        .dgamma = site.gradient(tensors_.gamma),
                                        .dbeta = site.gradient(tensors_.beta),
                                        .scratch = views.store.scratch});
    } else if (exchanged(views.how)) {
        if (!slopes.dx) return;
        stages_->differentiate(recorder, {.x = site.x,
                                          .dy = slopes.dy,
                                          .mean = site.saved(tensors_.mean),
                                          .inv_std = site.saved(tensors_.inv_std),
                                          .gamma = site.parameter(tensors_.gamma),
                                          .moments = site.saved(tensors_.moments),
                                          .sums = site.saved(tensors_.sums),
                                          .dx = slopes.dx,
                                          .scratch = views.store.scratch});
    } else {
        std::visit([&](const auto& norm) { detail::backward(recorder, norm, site, slopes); }, kind_);
    }
}

}  // namespace vknorm::detail
