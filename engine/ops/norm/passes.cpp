#include "ops/norm/passes.hpp"

#include <algorithm>

#include "ops/norm/bind.hpp"
#include "ops/norm/fused.hpp"
#include "ops/norm/options.hpp"
#include "ops/sizes.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm::detail {

namespace {

const NormModules statistics_modules = VKNORM_READER(norm_statistics);
const NormModules apply_modules = VKNORM_WRITER(norm_apply);
const NormModules backward_sums_modules = VKNORM_READER(norm_backward_sums);
const NormModules backward_apply_modules = VKNORM_WRITER(norm_backward_apply);

constexpr uint32_t health_words = shaders::norm_health_words;
static_assert(sizeof(ChannelHealth) == health_words * sizeof(uint32_t));
/// One invocation reads a set out of range again: more values would keep a device busy for too long.
constexpr uint64_t most_values_again = uint64_t{1} << 20;

/// Of either backward pass.
template <class Pass>
uint32_t backward_features(const Pass& pass) {
    const bool recomputes = pass.relu.recomputed();
    return bit_if(bool(pass.affine.gamma), shaders::norm_gamma) |
           bit_if(recomputes && pass.affine.beta, shaders::norm_beta) |
           bit_if(pass.affine.by_position, shaders::norm_by_position) |
           bit_if(pass.statistics.by_image, shaders::norm_by_image) | bit_if(recomputes, shaders::norm_relu) |
           bit_if(bool(pass.relu.mask), shaders::norm_mask) |
           bit_if(bool(pass.relu.output), shaders::norm_output) |
           bit_if(bool(pass.valid), shaders::norm_valid) | bit_if(bool(pass.x), shaders::norm_x) |
           bit_if(pass.weighted, shaders::norm_weighted);
}

/// One dispatch's share of the sets that a pass merges.
struct SetRange {
    uint64_t first, sets;
    AlignedView partials;
    shaders::NormPartials push;
    std::array<uint32_t, 2> constants;
    Groups groups;
};

uint64_t runs_of(const PartialSets& from) {
    return from.run == 0 ? 0 : from.items / from.run;
}

template <class Visit>
void for_each_set_range(const Device& device, const PlanLimits& limits, const PartialSets& from,
                        Visit visit) {
    const uint64_t runs = runs_of(from);
    const MergePlan plan = plan_merge(limits, from.sets, from.items, from.set_pitch * partial_bytes);
    for (uint64_t first = 0; first < from.sets; first += plan.sets) {
        const uint64_t sets = std::min(plan.sets, from.sets - first);
        // From the first item of the first set to the last item of the last.
        const uint64_t count =
            runs == 0 ? 0 : (sets - 1) * from.set_pitch + (runs - 1) * from.run_pitch + from.run;
        const AlignedView partials =
            bind_elements(device, from.partials, first * from.set_pitch, count, partial_bytes);
        visit(SetRange{.first = first,
                       .sets = sets,
                       .partials = partials,
                       .push = {.sets = narrow(sets),
                                .first = partials.first,
                                .set_pitch = narrow(from.set_pitch),
                                .items = narrow(from.items),
                                .run = narrow(from.run),
                                .run_pitch = narrow(from.run_pitch)},
                       .constants = {merge_workgroup, plan.lanes},
                       .groups = {.x = narrow(ceil_div<uint64_t>(sets, merge_workgroup / plan.lanes))}});
    }
}

}  // namespace

PartialSets partials_of_sets(const NormPlan& plan, const BufferView& partials) {
    const uint64_t items = uint64_t{plan.partials} * plan.group;
    return {.partials = partials,
            .sets = plan.sets(),
            .set_pitch = items,
            .items = items,
            .run = plan.partials,
            .run_pitch = plan.partials};
}

PartialSets partials_of_channels(const NormPlan& plan, const BufferView& partials, uint64_t sample,
                                 uint64_t samples) {
    const uint64_t sample_bytes = plan.extent.channels * plan.partials * partial_bytes;
    return {.partials = {partials.buffer, partials.offset + sample * sample_bytes, samples * sample_bytes},
            .sets = plan.extent.channels,
            .set_pitch = plan.partials,
            .items = plan.partials * samples,
            .run = plan.partials,
            .run_pitch = plan.partials * plan.extent.channels};
}

StagedStatistics::StagedStatistics(const RunningUpdate& running, uint64_t channel_bytes)
    : mean(running.mean), var(running.var) {
    const BufferView& staging = running.staging;
    if (!staging) return;
    mean = {staging.buffer, staging.offset, channel_bytes};
    var = {staging.buffer, staging.offset + channel_bytes, channel_bytes};
}

PartialSets partials_of_parts(const BufferView& results, uint64_t parts, uint64_t sets) {
    return {.partials = results, .sets = sets, .set_pitch = 1, .items = parts, .run = 1, .run_pitch = sets};
}

PlanLimits limits_of(const Device& device) {
    const Capabilities& capabilities = device.capabilities();
    return {.groups = capabilities.max_workgroups,
            .range = capabilities.max_storage_buffer_range,
            .alignment = capabilities.storage_buffer_offset_alignment,
            .cpu = capabilities.cpu,
            .tuning = device.tuning()};
}

NormPasses::NormPasses(const Device& device, NormPlan plan)
    : device_(device.state().shared_from_this()), plan_(std::move(plan)) {
    check_storage(plan_.operation, device, plan_.storage);
}

void NormPasses::count_batch(Recorder& recorder, const BufferView& num_batches_tracked) const {
    if (!num_batches_tracked) return;
    const Label label(recorder, plan_.operation + ".statistics");
    const WalkChoice choice = choose_walk(*device_, plan_, statistics_modules, Walk::strands, {});
    const auto constants = walk_constants(plan_, {.width = 1, .height = 1}, choice, {}, shaders::norm_count);
    const AlignedView batches = bind_elements(recorder.device(), num_batches_tracked, 0, batches_words);
    dispatch(recorder, {choice.shader, constants},
             {read({}), write({}), read_write(batches.view), read({}), read_write({})},
             shaders::NormStatistics{.batches_first = batches.first}, {});
}

void NormPasses::statistics(Recorder& recorder, const StatisticsPass& pass) const {
    if (plan_.slices.empty()) {
        count_batch(recorder, pass.num_batches_tracked);
        return;
    }
    const Label label(recorder, plan_.operation + ".statistics");
    const uint32_t features =
        bit_if(bool(pass.valid), shaders::norm_valid) | bit_if(bool(pass.health), shaders::norm_health);
    const WalkChoice choice = choose_walk(*device_, plan_, statistics_modules, Walk::strands, {pass.x});
    const AlignedView health = bind_words(recorder.device(), pass.health);
    AlignedView batches = bind_elements(recorder.device(), pass.num_batches_tracked, 0, batches_words);
    for (const Slice& slice : plan_.slices) {
        const SliceBinder bind(recorder, plan_, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan_, slice, choice);
        const auto constants = walk_constants(plan_, walk, choice, {},
                                              features | bit_if(bool(batches.view), shaders::norm_count));
        const AlignedView x = bind.tensor(pass.x), partials = bind.partials(pass.partials);
        const AlignedView valid = bind.valid(pass.valid);
        const shaders::NormStatistics push{
            .walk = walk.push,
            .strands = bind.strands(partials),
            .x_first = x.first,
            .batches_first = batches.first,
            .valid_first = valid.first,
            .health_first = narrow(health.first + health_words * slice.channel)};
        dispatch(recorder, {choice.shader, constants},
                 {read(x.view), write(partials.view), read_write(batches.view), read(valid.view),
                  read_write(health.view)},
                 push, walk.groups);
        // The first slice has counted the batch.
        batches.view = {};
    }
}

void NormPasses::merge(Recorder& recorder, const MergePass& pass) const {
    const Label label(recorder, plan_.operation + ".merge");
    const Device& device = recorder.device();
    for_each_set_range(device, plan_.limits, pass.from, [&](const SetRange& range) {
        const AlignedView result = bind_elements(device, pass.result, range.first, range.sets, partial_bytes);
        const shaders::NormMerge push{
            .partials = range.push, .result_first = result.first, .accumulate = pass.accumulate};
        const std::array<uint32_t, 3> constants{range.constants[0], range.constants[1],
                                                static_cast<uint32_t>(pass.what)};
        dispatch(recorder, {shaders::norm_merge, constants},
                 {read(range.partials.view), read_write(result.view)}, push, range.groups);
    });
}

void NormPasses::finalize(Recorder& recorder, const FinalizePass& pass) const {
    const Label label(recorder, plan_.operation + ".finalize");
    const Device& device = recorder.device();
    const RunningUpdate& running = pass.running;
    const Extent& extent = plan_.extent;
    const bool again = pass.x && plan_.tensor_bytes() <= plan_.limits.binding_bytes() &&
                       extent.values_per_channel() * plan_.group <= most_values_again;
    const AlignedView x =
        bind_elements(device, again ? pass.x : BufferView{}, 0, extent.elements(), plan_.element_bytes());
    const AlignedView valid =
        bind_elements(device, again ? pass.valid : BufferView{}, 0, extent.values_per_channel());
    const bool sixteen = plan_.element_bytes() != sizeof(float);
    for_each_set_range(device, plan_.limits, pass.from, [&](const SetRange& range) {
        const uint64_t first = range.first, sets = range.sets;
        const BoundFinish finish(device, plan_, pass, first, sets);
        const bool cumulative = running.cumulative && !running.staging;
        const AlignedView batches =
            bind_elements(device, cumulative ? running.num_batches_tracked : BufferView{}, 0, batches_words);
        const AlignedView count = first == 0 ? bind_elements(device, pass.count, 0, 1) : AlignedView{};
        const AlignedView health =
            bind_elements(device, pass.health, health_words * first, health_words * sets);
        const shaders::NormFinalize push{.partials = range.push,
                                         .finish = finish.push,
                                         .batches_first = batches.first,
                                         .count_first = count.first,
                                         .health_first = health.first,
                                         .x_first = x.first,
                                         .valid_first = valid.first,
                                         .first_set = narrow(first),
                                         .images = narrow(extent.images),
                                         .channels = narrow(extent.channels),
                                         .positions = narrow(extent.positions),
                                         .group = plan_.group,
                                         .channels_last = extent.channels_last};
        const uint32_t features =
            bit_if(bool(x.view), shaders::norm_x) | bit_if(bool(valid.view), shaders::norm_valid) |
            bit_if(bool(finish.running_mean.view), shaders::norm_running) |
            bit_if(cumulative, shaders::norm_cumulative) | bit_if(bool(count.view), shaders::norm_count) |
            bit_if(bool(health.view), shaders::norm_health);
        const std::array<uint32_t, 4> constants{range.constants[0], range.constants[1],
                                                plan_.storage == Storage::bfloat16, features};
        dispatch(
            recorder, {sixteen ? shaders::norm_finalize_sixteen : shaders::norm_finalize, constants},
            {read(range.partials.view), write(finish.mean.view), write(finish.inv_std.view),
             read_write(finish.running_mean.view), read_write(finish.running_var.view), read(batches.view),
             read_write(health.view), write(count.view), read(x.view), read(valid.view)},
            push, range.groups);
    });
    if (running.staging) commit(recorder, running);
}

void NormPasses::commit(Recorder& recorder, const RunningUpdate& running) const {
    const Label label(recorder, plan_.operation + ".commit");
    const Device& device = recorder.device();
    const uint64_t channels = plan_.extent.channels;
    const StagedStatistics staged(running, plan_.channel_bytes());
    const AlignedView batch_mean = bind_elements(device, staged.mean, 0, channels);
    const AlignedView batch_var = bind_elements(device, staged.var, 0, channels);
    const AlignedView mean = bind_elements(device, running.mean, 0, channels);
    const AlignedView var = bind_elements(device, running.var, 0, channels);
    const AlignedView batches = bind_elements(device, running.num_batches_tracked, 0, batches_words);
    const AlignedView refused = bind_elements(device, running.num_batches_refused, 0, batches_words);
    const shaders::NormCommit push{.channels = narrow(channels),
                                   .batch_mean_first = batch_mean.first,
                                   .batch_var_first = batch_var.first,
                                   .updates = bool(mean.view),
                                   .running_mean_first = mean.first,
                                   .running_var_first = var.first,
                                   .counts = bool(batches.view),
                                   .batches_first = batches.first,
                                   .refuses = bool(refused.view),
                                   .refused_first = refused.first,
                                   .cumulative = running.cumulative,
                                   .take = running.take,
                                   .keep = running.keep};
    constexpr uint32_t usual_workgroup = 256;
    const uint32_t constants[] = {std::min(usual_workgroup, device.capabilities().max_workgroup_invocations)};
    dispatch(recorder, {shaders::norm_commit, constants},
             {read(batch_mean.view), read(batch_var.view), read_write(mean.view), read_write(var.view),
              read_write(batches.view), read_write(refused.view)},
             push, {1});
}

void NormPasses::apply(Recorder& recorder, const ApplyPass& pass) const {
    const Label label(recorder, plan_.operation + ".apply");
    const uint32_t features =
        bit_if(bool(pass.affine.gamma), shaders::norm_gamma) |
        bit_if(bool(pass.affine.beta), shaders::norm_beta) |
        bit_if(pass.affine.by_position, shaders::norm_by_position) |
        bit_if(bool(pass.residual), shaders::norm_residual) | bit_if(pass.relu, shaders::norm_relu) |
        bit_if(bool(pass.relu_mask), shaders::norm_mask) | bit_if(bool(pass.valid), shaders::norm_valid);
    const WalkChoice choice =
        choose_walk(*device_, plan_, apply_modules, Walk::sweep, {pass.x, pass.y, pass.residual},
                    scaling_views(plan_, pass.statistics, pass.affine));
    // What the caller gave may be longer.
    if (pass.relu_mask) fill(recorder, {pass.relu_mask.buffer, pass.relu_mask.offset, plan_.mask_bytes()}, 0);
    for (const Slice& slice : plan_.slices) {
        const SliceBinder bind(recorder, plan_, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan_, slice, choice);
        const auto constants = walk_constants(plan_, walk, choice, pass.statistics, features);
        const AlignedView x = bind.tensor(pass.x), y = bind.tensor(pass.y);
        const AlignedView residual = bind.tensor(pass.residual);
        const AlignedView mask = bind.relu_mask(pass.relu_mask), valid = bind.valid(pass.valid);
        const BoundStatistics statistics = bind.statistics(pass.statistics);
        const BoundAffine gamma = bind.gamma(pass.affine), beta = bind.beta(pass.affine);
        const shaders::NormApply push{.walk = walk.push,
                                      .sets = statistics.push,
                                      .mask = bind.mask_bits(mask),
                                      .x_first = x.first,
                                      .y_first = y.first,
                                      .gamma_first = gamma.first,
                                      .beta_first = beta.first,
                                      .residual_first = residual.first,
                                      .valid_first = valid.first};
        dispatch(recorder, {choice.shader, constants},
                 {read(x.view), write(y.view), statistics.mean, statistics.deviation, gamma.binding,
                  beta.binding, read(residual.view), read_write(mask.view), read(valid.view)},
                 push, walk.groups);
    }
}

void NormPasses::backward_sums(Recorder& recorder, const BackwardSumsPass& pass) const {
    const Label label(recorder, plan_.operation + ".backward_sums");
    const uint32_t features = backward_features(pass);
    const WalkChoice choice =
        choose_walk(*device_, plan_, backward_sums_modules, Walk::strands,
                    {pass.x, pass.dy, pass.relu.output}, scaling_views(plan_, pass.statistics, pass.affine));
    for (const Slice& slice : plan_.slices) {
        const SliceBinder bind(recorder, plan_, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan_, slice, choice);
        const auto constants = walk_constants(plan_, walk, choice, pass.statistics, features);
        const AlignedView x = bind.tensor(pass.x), dy = bind.tensor(pass.dy),
                          y = bind.tensor(pass.relu.output);
        const AlignedView partials = bind.partials(pass.partials);
        const AlignedView mask = bind.relu_mask(pass.relu.mask), valid = bind.valid(pass.valid);
        const BoundStatistics statistics = bind.statistics(pass.statistics);
        const BoundAffine gamma = bind.gamma(pass.affine), beta = bind.beta(pass.affine);
        const shaders::NormBackwardSums push{.walk = walk.push,
                                             .sets = statistics.push,
                                             .mask = bind.mask_bits(mask),
                                             .strands = bind.strands(partials),
                                             .x_first = x.first,
                                             .dy_first = dy.first,
                                             .y_first = y.first,
                                             .gamma_first = gamma.first,
                                             .beta_first = beta.first,
                                             .valid_first = valid.first};
        dispatch(recorder, {choice.shader, constants},
                 {read(x.view), read(dy.view), statistics.mean, statistics.deviation, write(partials.view),
                  gamma.binding, beta.binding, read(mask.view), read(valid.view), read(y.view)},
                 push, walk.groups);
    }
}

void NormPasses::backward_finalize(Recorder& recorder, const BackwardFinalizePass& pass) const {
    const Label label(recorder, plan_.operation + ".backward_finalize");
    const Device& device = recorder.device();
    const uint64_t runs = runs_of(pass.from);
    const uint64_t weight_sets = pass.weights ? pass.weight_sets : 0;
    const uint64_t pitch = pass.values.count_pitch;
    for_each_set_range(device, plan_.limits, pass.from, [&](const SetRange& range) {
        const uint64_t first = range.first, sets = range.sets;
        const AlignedView dgamma = bind_elements(device, pass.dgamma, first, sets);
        const AlignedView dbeta = bind_elements(device, pass.dbeta, first, sets);
        const AlignedView means = bind_elements(device, pass.means, 2 * first, 2 * sets);
        const AlignedView weights = bind_elements(device, pass.weights, 0, weight_sets * runs);
        const AlignedView count =
            bind_elements(device, pass.values.count, first * pitch, (sets - 1) * pitch + 1);
        const shaders::NormBackwardFinalize push{
            .partials = range.push,
            .gives = bit_if(bool(dgamma.view), shaders::norm_gives_dgamma) |
                     bit_if(bool(dbeta.view), shaders::norm_gives_dbeta) |
                     bit_if(bool(means.view), shaders::norm_gives_means),
            .accumulate = pass.accumulate,
            .dgamma_first = dgamma.first,
            .dbeta_first = dbeta.first,
            .means_first = means.first,
            .weights_first = weights.first,
            .weight_sets = narrow(weight_sets),
            .weight_shift = narrow(weight_sets == 0 ? 0 : first % weight_sets),
            .weight_items = narrow(runs),
            .count_first = count.first,
            .count_pitch = narrow(pitch),
            .counted = bool(count.view),
            .centred = pass.centred,
            .values = static_cast<float>(std::max<uint64_t>(pass.values.known, 1))};
        dispatch(recorder, {shaders::norm_backward_finalize, range.constants},
                 {read(range.partials.view), read_write(dgamma.view), read_write(dbeta.view),
                  write(means.view), read(weights.view), read(count.view)},
                 push, range.groups);
    });
}

void NormPasses::backward_apply(Recorder& recorder, const BackwardApplyPass& pass) const {
    const Label label(recorder, plan_.operation + ".backward_apply");
    const uint32_t features = backward_features(pass) | bit_if(bool(pass.dx), shaders::norm_dx) |
                              bit_if(bool(pass.dresidual), shaders::norm_dresidual);
    const WalkChoice choice = choose_walk(*device_, plan_, backward_apply_modules, Walk::sweep,
                                          {pass.x, pass.dy, pass.relu.output, pass.dx, pass.dresidual},
                                          scaling_views(plan_, pass.statistics, pass.affine, pass.means));
    const AlignedView means = bind_words(recorder.device(), pass.means);
    for (const Slice& slice : plan_.slices) {
        const SliceBinder bind(recorder, plan_, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan_, slice, choice);
        const auto constants = walk_constants(plan_, walk, choice, pass.statistics, features);
        const AlignedView x = bind.tensor(pass.x), dy = bind.tensor(pass.dy),
                          y = bind.tensor(pass.relu.output);
        const AlignedView dx = bind.tensor(pass.dx), dresidual = bind.tensor(pass.dresidual);
        const AlignedView mask = bind.relu_mask(pass.relu.mask), valid = bind.valid(pass.valid);
        const BoundStatistics statistics = bind.statistics(pass.statistics);
        const BoundAffine gamma = bind.gamma(pass.affine), beta = bind.beta(pass.affine);
        const shaders::NormBackwardApply push{
            .walk = walk.push,
            .sets = statistics.push,
            .mask = bind.mask_bits(mask),
            .x_first = x.first,
            .dy_first = dy.first,
            .y_first = y.first,
            .dx_first = dx.first,
            .dresidual_first = dresidual.first,
            .gamma_first = gamma.first,
            .beta_first = beta.first,
            .means_first = narrow(means.first / 2 + slice.sample * plan_.sets_of_a_sample()),
            .valid_first = valid.first};
        dispatch(recorder, {choice.shader, constants},
                 {read(x.view), read(dy.view), write(dx.view), statistics.mean, statistics.deviation,
                  gamma.binding, read(means.view), beta.binding, read(mask.view), read(valid.view),
                  write(dresidual.view), read(y.view)},
                 push, walk.groups);
    }
}

void NormPasses::forward(Recorder& recorder, const StatisticsPass& statistics, const FinalizePass& finalize,
                         const ApplyPass& apply) const {
    if (const auto choice = choose_fused_forward(*device_, plan_, statistics, finalize, apply)) {
        fused_forward(recorder, plan_, *choice, statistics, finalize, apply);
        if (finalize.running.staging) commit(recorder, finalize.running);
        return;
    }
    this->statistics(recorder, statistics);
    this->finalize(recorder, finalize);
    this->apply(recorder, apply);
}

void NormPasses::backward(Recorder& recorder, const BackwardSumsPass& sums,
                          const BackwardFinalizePass& finalize, const BackwardApplyPass& apply) const {
    if (const auto choice = choose_fused_backward(*device_, plan_, finalize, apply)) {
        fused_backward(recorder, plan_, *choice, finalize, apply);
        return;
    }
    backward_sums(recorder, sums);
    backward_finalize(recorder, finalize);
    backward_apply(recorder, apply);
}

std::string NormPasses::explain_passes(const Affine& affine) const {
    if (plan_.slices.empty()) return {};
    const ScalingViews scaling = scaling_views(plan_, {}, affine);
    const auto name = [&](const NormModules& modules, Walk walk, const ScalingViews& with = {}) {
        return std::string(choose_walk(*device_, plan_, modules, walk, {}, with).shader.name);
    };
    return "  forward: " + name(statistics_modules, Walk::strands) + ", norm_finalize, " +
           name(apply_modules, Walk::sweep, scaling) +
           "\n  backward: " + name(backward_sums_modules, Walk::strands, scaling) +
           ", norm_backward_finalize, " + name(backward_apply_modules, Walk::sweep, scaling) + "\n" +
           "  tuning: " + plan_.limits.tuning.text() + "\n";
}

std::string NormPasses::explain(const Affine& affine) const {
    return detail::explain(plan_) + explain_passes(affine);
}

std::string NormPasses::explain_fused(const Affine& affine) const {
    const std::optional<std::string> fused = explain_fused_kernels(*device_, plan_, affine);
    if (!fused) return explain(affine);
    return detail::explain(plan_) + *fused + "  tuning: " + plan_.limits.tuning.text() + "\n";
}

}  // namespace vknorm::detail
