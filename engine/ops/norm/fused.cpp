#include "ops/norm/fused.hpp"

#include <algorithm>

#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

/// Few invocations are spread over as many workgroups as there are. Of a channel: those that share a chunk.
constexpr uint32_t fused_workgroup = chunk_lanes;
/// Below these, the invocations of a workgroup stand in too many rows at once.
constexpr uint32_t fewest_positions = 4 * chunk_lanes * block_values;

/// In quads an invocation has four adjacent channels, in vectors a workgroup has a channel.
struct FusedModules {
    struct Forms {
        AccessModules quads, vectors;
    };
    Forms thirty_two, sixteen;  ///< bits of an element

    const shaders::Shader& choose(const DeviceState& device, const NormPlan& plan, Form form,
                                  std::initializer_list<BufferView> views) const {
        const Forms& forms = plan.element_bytes() == sizeof(float) ? thirty_two : sixteen;
        const AccessModules& access = form == Form::quads ? forms.quads : forms.vectors;
        return access.choose(device, plan, {views.begin(), views.size()});
    }
};
const FusedModules forward_modules{
    .thirty_two = {VKNORM_WRITER(norm_fused_quads_forward), VKNORM_WRITER(norm_fused_channel_forward)},
    .sixteen = {VKNORM_WRITER(norm_fused_quads_forward_sixteen),
                VKNORM_WRITER(norm_fused_channel_forward_sixteen)}};
const FusedModules backward_modules{
    .thirty_two = {VKNORM_WRITER(norm_fused_quads_backward), VKNORM_WRITER(norm_fused_channel_backward)},
    .sixteen = {VKNORM_WRITER(norm_fused_quads_backward_sixteen),
                VKNORM_WRITER(norm_fused_channel_backward_sixteen)}};

/// Of a normalization without anything around it but a ReLU.
std::optional<Form> choose_fused(const NormPlan& plan, std::initializer_list<BufferView> tensors) {
    const Extent& extent = plan.extent;
    if (plan.slices.size() != 1 || extent.samples != 1 || plan.group != 1 ||
        !are_aligned({tensors.begin(), tensors.size()}, block_values * plan.element_bytes()))
        return {};
    const bool few_rows = extent.adjacent_channels() && extent.channels % block_values == 0 &&
                          extent.images <= plan.limits.tuning.fused_rows &&
                          plan.partials <= shaders::norm_partials_alone;
    if (few_rows) return Form::quads;
    const bool few_elements = extent.positions >= fewest_positions && extent.positions % block_values == 0 &&
                              extent.elements() <= plan.limits.tuning.fused_elements &&
                              plan.partials <= shaders::norm_partials_branch &&
                              extent.channels <= plan.limits.groups;
    if (few_elements) return Form::vectors;
    return {};
}

template <class Pass>
std::array<uint32_t, 4> fused_constants(const NormPlan& plan, const Pass& apply) {
    return {fused_workgroup, apply.statistics.kind, plan.storage == Storage::bfloat16,
            bit_if(bool(apply.affine.gamma), shaders::norm_gamma) |
                bit_if(bool(apply.affine.beta), shaders::norm_beta) | bit_if(apply.relu, shaders::norm_relu) |
                shaders::norm_x};
}

shaders::NormFused shape_of(const NormPlan& plan, Form form) {
    const shaders::NormWalk strands = walk_of(plan, plan.slices.front(), Walk::strands, form);
    return {.channels = strands.channels,
            .values = strands.values,
            .span = strands.span,
            .blocks = strands.blocks,
            .strands = strands.strands};
}

Groups fused_groups(const NormPlan& plan, Form form, const shaders::NormFused& shape) {
    if (form != Form::quads) return {.x = shape.channels};
    return {.x = std::min(ceil_div(shape.channels, fused_workgroup), plan.limits.groups)};
}

}  // namespace

std::optional<Form> choose_fused_forward(const NormPlan& plan, const StatisticsPass& statistics,
                                         const FinalizePass& finalize, const ApplyPass& apply) {
    if (apply.residual || apply.relu_mask || apply.valid || statistics.health || finalize.running.cumulative)
        return {};
    return choose_fused(plan, {apply.x, apply.y});
}

std::optional<Form> choose_fused_backward(const NormPlan& plan, const BackwardApplyPass& apply) {
    if (apply.dresidual || apply.relu_mask || apply.valid) return {};
    return choose_fused(plan, {apply.x, apply.dy, apply.dx});
}

void fused_forward(Recorder& recorder, const NormPlan& plan, Form form, const StatisticsPass& statistics,
                   const FinalizePass& finalize, const ApplyPass& apply) {
    const Label label(recorder, plan.operation + ".forward");
    const Device& device = recorder.device();
    const RunningUpdate& running = finalize.running;
    const auto constants = fused_constants(plan, apply);
    const SliceBinder bind(recorder, plan, plan.slices.front(), form);
    const AlignedView x = bind.tensor(apply.x), y = bind.tensor(apply.y);
    const AlignedView gamma = bind_words(device, apply.affine.gamma);
    const AlignedView beta = bind_words(device, apply.affine.beta);
    const AlignedView mean = bind_words(device, finalize.mean);
    const AlignedView inv_std = bind_words(device, finalize.inv_std);
    const AlignedView running_mean = bind_words(device, running.mean);
    const AlignedView running_var = bind_words(device, running.var);
    const AlignedView batches = bind_elements(device, statistics.num_batches_tracked, 0, batches_words);
    const shaders::NormFusedForward push{.shape = shape_of(plan, form),
                                         .x_first = x.first,
                                         .y_first = y.first,
                                         .gamma_first = gamma.first,
                                         .beta_first = beta.first,
                                         .low = narrow(plan.extent.channels),
                                         .mean_first = mean.first,
                                         .inv_std_first = inv_std.first,
                                         .running_mean_first = running_mean.first,
                                         .running_var_first = running_var.first,
                                         .batches_first = batches.first,
                                         .counts = bool(batches.view),
                                         .gives = shaders::norm_gives_mean | shaders::norm_gives_inv_std,
                                         .least = running.mean ? running.least : 0,
                                         .take = running.take,
                                         .keep = running.keep,
                                         .unbiased = running.unbiased ? 1.f : 0.f,
                                         .epsilon = finalize.epsilon};
    const shaders::Shader& shader = forward_modules.choose(device.state(), plan, form, {apply.x, apply.y});
    dispatch(recorder, {shader, constants},
             {read(x.view), write(y.view), write(mean.view), write(inv_std.view),
              read_write(running_mean.view), read_write(running_var.view), read_write(batches.view),
              write({}), write({}), read(gamma.view), read(beta.view)},
             push, fused_groups(plan, form, push.shape));
}

void fused_backward(Recorder& recorder, const NormPlan& plan, Form form, const BackwardFinalizePass& finalize,
                    const BackwardApplyPass& apply) {
    const Label label(recorder, plan.operation + ".backward");
    const Device& device = recorder.device();
    const auto constants = fused_constants(plan, apply);
    const SliceBinder bind(recorder, plan, plan.slices.front(), form);
    const AlignedView x = bind.tensor(apply.x), dy = bind.tensor(apply.dy), dx = bind.tensor(apply.dx);
    const AlignedView gamma = bind_words(device, apply.affine.gamma);
    const AlignedView beta = bind_words(device, apply.affine.beta);
    const AlignedView dgamma = bind_words(device, finalize.dgamma);
    const AlignedView dbeta = bind_words(device, finalize.dbeta);
    const BoundStatistics statistics = bind.statistics(apply.statistics);
    const shaders::NormFusedBackward push{.shape = shape_of(plan, form),
                                          .sets = statistics.push,
                                          .x_first = x.first,
                                          .dy_first = dy.first,
                                          .dx_first = dx.first,
                                          .gamma_first = gamma.first,
                                          .beta_first = beta.first,
                                          .dgamma_first = dgamma.first,
                                          .dbeta_first = dbeta.first,
                                          .gives = bit_if(bool(dgamma.view), shaders::norm_gives_dgamma) |
                                                   bit_if(bool(dbeta.view), shaders::norm_gives_dbeta),
                                          .accumulate = finalize.accumulate,
                                          .values = static_cast<float>(finalize.values.known)};
    const shaders::Shader& shader =
        backward_modules.choose(device.state(), plan, form,
                                {apply.x, apply.dy, apply.dx, apply.statistics.mean,
                                 apply.statistics.deviation, apply.affine.gamma, apply.affine.beta});
    dispatch(recorder, {shader, constants},
             {read(x.view), read(dy.view), write(dx.view), statistics.mean, statistics.deviation,
              read(gamma.view), read(beta.view), read_write(dgamma.view), read_write(dbeta.view)},
             push, fused_groups(plan, form, push.shape));
}

std::optional<std::string> explain_fused_kernels(const DeviceState& device, const NormPlan& plan) {
    const auto form = choose_fused(plan, {});
    if (!form) return {};
    return std::string("  forward, in one dispatch: ") +
           forward_modules.choose(device, plan, *form, {}).name +
           "\n  backward, in one dispatch: " + backward_modules.choose(device, plan, *form, {}).name + "\n";
}

}  // namespace vknorm::detail
