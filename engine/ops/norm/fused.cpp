#include "ops/norm/fused.hpp"

#include <algorithm>
#include <bit>

#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

const NormModules forward_modules = VKNORM_WRITER(norm_fused_forward);
const NormModules backward_modules = VKNORM_WRITER(norm_fused_backward);

/// Few rows of many channels: an invocation has four channels.
bool has_few_rows(const NormPlan& plan) {
    const Extent& extent = plan.extent;
    return extent.samples == 1 && extent.positions == 1 && plan.across &&
           extent.images <= plan.limits.tuning.fused_rows &&
           plan.partials <= std::min(plan.limits.partials_alone(), shaders::norm_branch) &&
           ceil_div<uint64_t>(extent.channels, block_values * plan.limits.chunk_lanes()) <=
               plan.limits.groups;
}

/// A set is a few rows of adjacent values: the images of a channel, or the channels of a group.
bool has_sets_of_rows(const NormPlan& plan) {
    const Extent& extent = plan.extent;
    const Tuning& tuning = plan.limits.tuning;
    if (plan.across || extent.channels_last) return false;
    const uint64_t items = uint64_t{plan.partials} * plan.group,
                   values = extent.values_per_channel() * plan.group;
    const uint64_t groups =
        ceil_div<uint64_t>(plan.sets(), plan.whole_rows() ? plan.limits.chunk_lanes() : 1);
    if (items > shaders::norm_partials_branch || groups > plan.limits.groups) return false;
    const bool few_elements = extent.elements() <= tuning.fused_elements;
    if (extent.images > 1) return extent.samples == 1 && few_elements;
    // Whole rows have an invocation each, and so no group.
    return (few_elements || values <= tuning.fused_row) && (plan.group == 1 || !plan.whole_rows());
}

/// Of a normalization without anything around it but a ReLU.
std::optional<WalkChoice> choose_fused(const DeviceState& device, const NormPlan& plan,
                                       const NormModules& modules, std::initializer_list<BufferView> tensors,
                                       const ScalingViews& scaling) {
    if (plan.slices.size() != 1 || !(has_few_rows(plan) || has_sets_of_rows(plan))) return {};
    WalkChoice choice = choose_walk(device, plan, modules, Walk::strands, tensors, scaling);
    if (!choice.aligned()) return {};
    return choice;
}

uint32_t features_of(const Affine& affine, bool relu) {
    return bit_if(bool(affine.gamma), shaders::norm_gamma) | bit_if(bool(affine.beta), shaders::norm_beta) |
           bit_if(affine.by_position, shaders::norm_by_position) | bit_if(relu, shaders::norm_relu) |
           shaders::norm_x;
}

/// Invocations of a workgroup: those that share a set, or as many as there are sets, but few, so that there
/// are workgroups for a device to share.
uint32_t workgroup_of(const NormPlan& plan, const WalkChoice& choice, const shaders::NormFused& shape) {
    const uint32_t lanes = plan.limits.chunk_lanes();
    if (choice.has(shaders::norm_adjacent) || choice.has(shaders::norm_whole_rows) || plan.limits.cpu)
        return lanes;
    const uint32_t pairs = ceil_div(shape.values, 2 * block_values);
    return std::clamp(std::bit_floor(pairs), lanes, std::bit_floor(plan.limits.tuning.workgroup));
}

shaders::NormFused shape_of(const NormPlan& plan, const WalkChoice& choice) {
    const Extent& extent = plan.extent;
    const Slice& slice = plan.slices.front();
    const bool adjacent = choice.has(shaders::norm_adjacent);
    const uint64_t rows = adjacent ? 1 : extent.images == 1 ? plan.group : extent.images;
    const uint32_t items = plan.partials * plan.group;
    const uint64_t image = extent.image_elements() / block_values, row = extent.positions / block_values;
    return {.sets = narrow(plan.sets()),
            .rows = narrow(rows),
            .row_pitch = narrow(adjacent || extent.images > 1 ? image : row),
            .set_pitch = narrow(row * plan.group),
            .sample_sets = narrow(plan.sets_of_a_sample()),
            .group = plan.group,
            .values = adjacent ? slice.images : slice.positions,
            .lane_bits = static_cast<uint32_t>(std::countr_zero(slice.strands.lanes)),
            .blocks = slice.strands.blocks,
            .strands = slice.strands.of_a_row,
            .leaves = items <= plan.limits.partials_alone() ? items : shaders::norm_branch};
}

Groups groups_of(const WalkChoice& choice, const shaders::NormFused& shape, uint32_t workgroup) {
    if (choice.has(shaders::norm_adjacent)) return {.x = ceil_div(shape.sets / block_values, workgroup)};
    return {.x = choice.has(shaders::norm_whole_rows) ? ceil_div(shape.sets, workgroup) : shape.sets};
}

}  // namespace

std::optional<WalkChoice> choose_fused_forward(const DeviceState& device, const NormPlan& plan,
                                               const StatisticsPass& statistics, const FinalizePass& finalize,
                                               const ApplyPass& apply) {
    if (apply.residual || apply.relu_mask || apply.valid || statistics.health || finalize.running.cumulative)
        return {};
    return choose_fused(device, plan, forward_modules, {apply.x, apply.y},
                        scaling_views(plan, {}, apply.affine));
}

std::optional<WalkChoice> choose_fused_backward(const DeviceState& device, const NormPlan& plan,
                                                const BackwardFinalizePass& finalize,
                                                const BackwardApplyPass& apply) {
    if (apply.dresidual || apply.relu.mask || apply.relu.output || apply.valid || finalize.weights) return {};
    // The gradients of parameters that several sets share are sums over them.
    const bool shared = plan.extent.samples > 1 || plan.group > 1;
    if (shared && (finalize.dgamma || finalize.dbeta || apply.affine.gamma)) return {};
    return choose_fused(device, plan, backward_modules, {apply.x, apply.dy, apply.dx},
                        scaling_views(plan, apply.statistics, apply.affine));
}

void fused_forward(Recorder& recorder, const NormPlan& plan, const WalkChoice& choice,
                   const StatisticsPass& statistics, const FinalizePass& finalize, const ApplyPass& apply) {
    const Label label(recorder, plan.operation + ".forward");
    const Device& device = recorder.device();
    const SliceBinder bind(recorder, plan, plan.slices.front(), true);
    const AlignedView x = bind.tensor(apply.x), y = bind.tensor(apply.y);
    const AlignedView gamma = bind_words(device, apply.affine.gamma);
    const AlignedView beta = bind_words(device, apply.affine.beta);
    const BoundFinish finish(device, plan, finalize, 0, plan.sets());
    const AlignedView batches = bind_elements(device, statistics.num_batches_tracked, 0, batches_words);
    const shaders::NormFusedForward push{.shape = shape_of(plan, choice),
                                         .x_first = x.first,
                                         .y_first = y.first,
                                         .gamma_first = gamma.first,
                                         .beta_first = beta.first,
                                         .batches_first = batches.first,
                                         .finish = finish.push};
    const SliceWalk walk{.width = workgroup_of(plan, choice, push.shape), .height = 1};
    const uint32_t features = features_of(apply.affine, apply.relu) |
                              bit_if(bool(finish.running_mean.view), shaders::norm_running) |
                              bit_if(bool(batches.view), shaders::norm_count);
    const auto constants = walk_constants(plan, walk, choice, apply.statistics, features);
    dispatch(recorder, {choice.shader, constants},
             {read(x.view), write(y.view), write(finish.mean.view), write(finish.inv_std.view),
              read_write(finish.running_mean.view), read_write(finish.running_var.view),
              read_write(batches.view), read(gamma.view), read(beta.view)},
             push, groups_of(choice, push.shape, walk.width));
}

void fused_backward(Recorder& recorder, const NormPlan& plan, const WalkChoice& choice,
                    const BackwardFinalizePass& finalize, const BackwardApplyPass& apply) {
    const Label label(recorder, plan.operation + ".backward");
    const Device& device = recorder.device();
    const SliceBinder bind(recorder, plan, plan.slices.front(), true);
    const AlignedView x = bind.tensor(apply.x), dy = bind.tensor(apply.dy), dx = bind.tensor(apply.dx);
    const AlignedView gamma = bind_words(device, apply.affine.gamma);
    const AlignedView beta = bind_words(device, apply.affine.beta);
    const AlignedView dgamma = bind_words(device, finalize.dgamma);
    const AlignedView dbeta = bind_words(device, finalize.dbeta);
    BoundStatistics statistics = bind.statistics(apply.statistics);
    // The kernel counts the sets of all samples.
    statistics.push.sample_sets = 0;
    statistics.push.group = 1;
    const shaders::NormFusedBackward push{.shape = shape_of(plan, choice),
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
                                          .centred = finalize.centred,
                                          .values = static_cast<float>(finalize.values.known)};
    const SliceWalk walk{.width = workgroup_of(plan, choice, push.shape), .height = 1};
    const uint32_t features =
        features_of(apply.affine, apply.relu.applied) | bit_if(apply.weighted, shaders::norm_weighted);
    const auto constants = walk_constants(plan, walk, choice, apply.statistics, features);
    dispatch(recorder, {choice.shader, constants},
             {read(x.view), read(dy.view), write(dx.view), statistics.mean, statistics.deviation,
              read(gamma.view), read(beta.view), read_write(dgamma.view), read_write(dbeta.view)},
             push, groups_of(choice, push.shape, walk.width));
}

std::optional<std::string> explain_fused_kernels(const DeviceState& device, const NormPlan& plan,
                                                 const Affine& affine) {
    const ScalingViews scaling = scaling_views(plan, {}, affine);
    const auto forward = choose_fused(device, plan, forward_modules, {}, scaling);
    const auto backward = choose_fused(device, plan, backward_modules, {}, scaling);
    if (!forward || !backward) return {};
    return std::string("  forward, in one dispatch: ") + forward->shader.name +
           "\n  backward, in one dispatch: " + backward->shader.name + "\n";
}

}  // namespace vknorm::detail
