// Both directions of a normalization of a small tensor, in one dispatch.
#include <optional>

#include "ops/norm/bind.hpp"

namespace vknorm::detail {

namespace {

/// Few invocations are spread over as many workgroups as there are. Of a line: those that share a chunk.
constexpr uint32_t small_workgroup = chunk_lanes;
/// Partials that are merged in the order of one invocation, and of one level of a tree; see norm/tree.glsl.
constexpr uint32_t most_partials_alone = 8, most_partials_of_a_line = 128;
/// Below these, the invocations of a workgroup stand in too many rows at once.
constexpr uint32_t fewest_positions = 4 * chunk_lanes * block_values;

/// In quads an invocation has four adjacent channels, in vectors a workgroup has a line.
struct SmallModules {
    struct Forms {
        NormModules::Access quads, vectors;
    };
    Forms thirty_two, sixteen;  ///< bits of an element

    const shaders::Shader& choose(const DeviceState& device, const NormPlan& plan, Form form,
                                  std::initializer_list<BufferView> views) const {
        const Forms& forms = plan.element_bytes == sizeof(float) ? thirty_two : sixteen;
        const auto& access = form == Form::quads ? forms.quads : forms.vectors;
        const bool texels = may_all_be_texels(device, {views.begin(), views.size()});
        return access.by(texels ? plan.limits.tuning.blocks : BlockAccess::vectors);
    }
};
const SmallModules forward_modules{
    .thirty_two = {VKNORM_WRITER(norm_small_forward), VKNORM_WRITER(norm_line_forward)},
    .sixteen = {VKNORM_WRITER(norm_small_forward_sixteen), VKNORM_WRITER(norm_line_forward_sixteen)}};
const SmallModules backward_modules{
    .thirty_two = {VKNORM_WRITER(norm_small_backward), VKNORM_WRITER(norm_line_backward)},
    .sixteen = {VKNORM_WRITER(norm_small_backward_sixteen), VKNORM_WRITER(norm_line_backward_sixteen)}};

/// How one dispatch would reach the tensors; nothing if it takes several.
std::optional<Form> small_form(const NormPlan& plan, const Tensors& tensors,
                               std::initializer_list<BufferView> views) {
    const Extent& extent = plan.extent;
    if (plan.slices.size() != 1 || extent.samples != 1 || tensors.group != 1 ||
        !are_aligned({views.begin(), views.size()}, block_values * plan.element_bytes))
        return {};
    const bool few_rows = extent.positions == 1 && extent.channels % block_values == 0 &&
                          extent.images <= plan.limits.tuning.small_rows &&
                          plan.partials <= most_partials_alone;
    if (few_rows) return Form::quads;
    const bool short_lines = extent.positions >= fewest_positions && extent.positions % block_values == 0 &&
                             extent.elements() <= plan.limits.tuning.small_elements &&
                             plan.partials <= most_partials_of_a_line &&
                             extent.channels <= plan.limits.groups;
    if (short_lines) return Form::vectors;
    return {};
}

std::array<uint32_t, 4> small_constants(const Tensors& tensors, const Affine& affine,
                                        const Statistics& statistics, const Extras& extras) {
    return {small_workgroup, statistics.kind, flag(tensors.bfloat16),
            feature(shaders::norm_gamma, bool(affine.gamma)) |
                feature(shaders::norm_beta, bool(affine.beta)) | feature(shaders::norm_relu, extras.relu) |
                shaders::norm_x};
}

shaders::NormSmall shape_of(const NormPlan& plan, Form form) {
    const shaders::NormWalk strands = walk(plan, plan.slices.front(), Walk::strands, form);
    return {.channels = strands.channels,
            .values = strands.values,
            .span = strands.span,
            .blocks = strands.blocks,
            .strands = strands.strands};
}

Groups small_groups(const NormPlan& plan, Form form, const shaders::NormSmall& shape) {
    if (form != Form::quads) return {.x = shape.channels};
    return {.x = std::min(ceil_div(shape.channels, small_workgroup), plan.limits.groups)};
}

void record_small(Recorder& recorder, const NormPlan& plan, Form form, const Tensors& tensors,
                  const StatisticsPass& statistics, const FinalizePass& finalize, const ApplyPass& apply) {
    const Label label(recorder, (plan.operation + ".forward").c_str());
    const Parts parts(recorder);
    const RunningUpdate& running = finalize.running;
    const auto constants = small_constants(tensors, apply.affine, apply.statistics, apply.extras);
    const Slice& slice = plan.slices.front();
    const AlignedView x = parts.box(plan, slice, form, apply.x);
    const AlignedView y = parts.box(plan, slice, form, apply.y);
    const AlignedView gamma = parts.all(apply.affine.gamma), beta = parts.all(apply.affine.beta);
    const AlignedView mean = parts.all(finalize.mean), inv_std = parts.all(finalize.inv_std);
    const AlignedView running_mean = parts.all(running.mean), running_var = parts.all(running.var);
    const AlignedView batches = parts.elements(statistics.num_batches_tracked, 0, 2);
    const shaders::NormSmallForward push{.shape = shape_of(plan, form),
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
                                         .counts = flag(bool(batches.view)),
                                         .gives = shaders::norm_gives_mean | shaders::norm_gives_inv_std,
                                         .least = running.mean ? running.least : 0,
                                         .take = running.take,
                                         .keep = running.keep,
                                         .unbiased = running.unbiased ? 1.f : 0.f,
                                         .epsilon = finalize.epsilon};
    const shaders::Shader& shader =
        forward_modules.choose(recorder.device().state(), plan, form, {apply.x, apply.y});
    dispatch(recorder, {shader, constants},
             {read(x.view), write(y.view), write(mean.view), write(inv_std.view),
              read_write(running_mean.view), read_write(running_var.view), read_write(batches.view),
              write({}), write({}), read(gamma.view), read(beta.view)},
             push, small_groups(plan, form, push.shape));
}

void record_small(Recorder& recorder, const NormPlan& plan, Form form, const Tensors& tensors,
                  const BackwardFinalizePass& finalize, const BackwardApplyPass& apply) {
    const Label label(recorder, (plan.operation + ".backward").c_str());
    const Parts parts(recorder);
    const auto constants = small_constants(tensors, apply.affine, apply.statistics, apply.extras);
    const Slice& slice = plan.slices.front();
    const AlignedView x = parts.box(plan, slice, form, apply.x);
    const AlignedView dy = parts.box(plan, slice, form, apply.dy);
    const AlignedView dx = parts.box(plan, slice, form, apply.dx);
    const AlignedView gamma = parts.all(apply.affine.gamma), beta = parts.all(apply.affine.beta);
    const AlignedView dgamma = parts.all(finalize.dgamma), dbeta = parts.all(finalize.dbeta);
    const BoundStatistics statistics = bind(parts, plan, tensors, slice, apply.statistics);
    const shaders::NormSmallBackward push{.shape = shape_of(plan, form),
                                          .sets = statistics.push,
                                          .x_first = x.first,
                                          .dy_first = dy.first,
                                          .dx_first = dx.first,
                                          .gamma_first = gamma.first,
                                          .beta_first = beta.first,
                                          .dgamma_first = dgamma.first,
                                          .dbeta_first = dbeta.first,
                                          .gives = feature(shaders::norm_gives_dgamma, bool(dgamma.view)) |
                                                   feature(shaders::norm_gives_dbeta, bool(dbeta.view)),
                                          .accumulate = flag(finalize.accumulate),
                                          .values = static_cast<float>(finalize.values.known)};
    const shaders::Shader& shader =
        backward_modules.choose(recorder.device().state(), plan, form,
                                {apply.x, apply.dy, apply.dx, apply.statistics.mean,
                                 apply.statistics.deviation, apply.affine.gamma, apply.affine.beta});
    dispatch(recorder, {shader, constants},
             {read(x.view), read(dy.view), write(dx.view), statistics.mean, statistics.deviation,
              read(gamma.view), read(beta.view), read_write(dgamma.view), read_write(dbeta.view)},
             push, small_groups(plan, form, push.shape));
}

std::string explain_tuning(const NormPlan& plan) {
    return "  tuning: " + plan.limits.tuning.text() + "\n";
}

}  // namespace

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors,
            const StatisticsPass& statistics, const FinalizePass& finalize, const ApplyPass& apply) {
    const Extras& extras = apply.extras;
    const bool more = apply.residual || extras.relu_mask || extras.valid || statistics.health ||
                      finalize.running.cumulative;
    const auto form = more ? std::nullopt : small_form(plan, tensors, {apply.x, apply.y});
    if (form) {
        record_small(recorder, plan, *form, tensors, statistics, finalize, apply);
        return;
    }
    record(recorder, plan, tensors, statistics);
    record(recorder, plan, finalize);
    record(recorder, plan, tensors, apply);
}

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardSumsPass& sums,
            const BackwardFinalizePass& finalize, const BackwardApplyPass& apply) {
    const Extras& extras = apply.extras;
    const bool more = apply.dresidual || extras.relu_mask || extras.valid;
    const auto form = more ? std::nullopt : small_form(plan, tensors, {apply.x, apply.dy, apply.dx});
    if (form) {
        record_small(recorder, plan, *form, tensors, finalize, apply);
        return;
    }
    record(recorder, plan, tensors, sums);
    record(recorder, plan, finalize);
    record(recorder, plan, tensors, apply);
}

std::string explain_passes(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                           const Affine& affine) {
    if (plan.slices.empty()) return {};
    return "  forward: " + forward_kernels(device, plan, tensors, affine) +
           "\n  backward: " + backward_kernels(device, plan, tensors, affine) + "\n" + explain_tuning(plan);
}

std::string explain_all(const DeviceState& device, const NormPlan& plan, const Tensors& tensors) {
    const auto form = plan.slices.empty() ? std::nullopt : small_form(plan, tensors, {});
    if (!form) return explain_passes(device, plan, tensors);
    return std::string("  forward, in one dispatch: ") +
           forward_modules.choose(device, plan, *form, {}).name +
           "\n  backward, in one dispatch: " + backward_modules.choose(device, plan, *form, {}).name + "\n" +
           explain_tuning(plan);
}

}  // namespace vknorm::detail
