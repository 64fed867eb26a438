// Partials of strands become results of sets.
#include "ops/norm/bind.hpp"

namespace vknorm::detail {

namespace {

/// One dispatch's share of the sets.
struct MergeWindow {
    uint64_t first, sets;
    AlignedView partials;
    shaders::NormPartials push;
    std::array<uint32_t, 2> constants;
    Groups groups;
};

template <class Visit>
void for_each_window(Recorder& recorder, const PlanLimits& limits, const PartialSets& from, Visit visit) {
    const Parts parts(recorder);
    const uint64_t runs = from.run == 0 ? 0 : from.items / from.run;
    const MergePlan plan = plan_merge(limits, from.sets, from.items, from.set_pitch * partial_bytes);
    for (uint64_t first = 0; first < from.sets; first += plan.sets) {
        const uint64_t sets = std::min(plan.sets, from.sets - first);
        // From the first item of the first set to the last item of the last.
        const uint64_t count =
            runs == 0 ? 0 : (sets - 1) * from.set_pitch + (runs - 1) * from.run_pitch + from.run;
        const AlignedView partials =
            parts.elements(from.partials, first * from.set_pitch, count, partial_bytes);
        visit(MergeWindow{.first = first,
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

PartialSets partials_of_sets(const NormPlan& plan, uint32_t group, const BufferView& partials) {
    const uint64_t items = uint64_t{plan.partials} * group;
    return {.partials = partials,
            .sets = plan.extent.lines() / group,
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

PartialSets partials_of_parts(const BufferView& results, uint64_t parts, uint64_t sets) {
    return {.partials = results, .sets = sets, .set_pitch = 1, .items = parts, .run = 1, .run_pitch = sets};
}

void record(Recorder& recorder, const NormPlan& plan, Merged what, const MergePass& pass) {
    const Label label(recorder, (plan.operation + ".merge").c_str());
    const Parts parts(recorder);
    const shaders::Shader* const kernels[] = {&shaders::norm_merge_moments, &shaders::norm_merge_sums,
                                              &shaders::norm_merge_average};
    const shaders::Shader& shader = *kernels[static_cast<size_t>(what)];
    for_each_window(recorder, plan.limits, pass.from, [&](const MergeWindow& window) {
        const AlignedView result = parts.elements(pass.result, window.first, window.sets, partial_bytes);
        const shaders::NormMerge push{
            .partials = window.push, .result_first = result.first, .accumulate = flag(pass.accumulate)};
        dispatch(recorder, {shader, window.constants}, {read(window.partials.view), read_write(result.view)},
                 push, window.groups);
    });
}

void record(Recorder& recorder, const NormPlan& plan, const FinalizePass& pass) {
    const Label label(recorder, (plan.operation + ".finalize").c_str());
    const Parts parts(recorder);
    const RunningUpdate& running = pass.running;
    const uint64_t all = pass.from.sets;
    for_each_window(recorder, plan.limits, pass.from, [&](const MergeWindow& window) {
        const uint64_t first = window.first, sets = window.sets;
        // Both halves of the mean.
        const AlignedView mean = parts.elements(pass.mean, first, all + sets);
        const AlignedView inv_std = parts.elements(pass.inv_std, first, sets);
        const AlignedView running_mean = parts.elements(running.mean, first, sets);
        const AlignedView running_var = parts.elements(running.var, first, sets);
        const AlignedView batches =
            parts.elements(running.cumulative ? running.num_batches_tracked : BufferView{}, 0, 2);
        const AlignedView count = first == 0 ? parts.elements(pass.count, 0, 1) : AlignedView{};
        const AlignedView health = parts.elements(pass.health, 3 * first, 3 * sets);
        const shaders::NormFinalize push{
            .partials = window.push,
            .low = narrow(all),
            .mean_first = mean.first,
            .inv_std_first = inv_std.first,
            .running_mean_first = running_mean.first,
            .running_var_first = running_var.first,
            .batches_first = batches.first,
            .count_first = count.first,
            .health_first = health.first,
            .gives = feature(shaders::norm_gives_mean, bool(mean.view)) |
                     feature(shaders::norm_gives_inv_std, bool(inv_std.view)) |
                     feature(shaders::norm_gives_count, bool(count.view)) |
                     feature(shaders::norm_gives_health, bool(health.view)),
            .least = running.mean ? running.least : 0,
            .cumulative = flag(running.cumulative),
            .root_mean_square = flag(pass.root_mean_square),
            .take = running.take,
            .keep = running.keep,
            .unbiased = running.unbiased ? 1.f : 0.f,
            .epsilon = pass.epsilon,
        };
        dispatch(
            recorder, {shaders::norm_finalize, window.constants},
            {read(window.partials.view), write(mean.view), write(inv_std.view), read_write(running_mean.view),
             read_write(running_var.view), read(batches.view), write(count.view), read_write(health.view)},
            push, window.groups);
    });
}

void record(Recorder& recorder, const NormPlan& plan, const BackwardFinalizePass& pass) {
    const Label label(recorder, (plan.operation + ".backward_finalize").c_str());
    const Parts parts(recorder);
    const uint64_t runs = pass.from.run == 0 ? 0 : pass.from.items / pass.from.run;
    const uint64_t weight_sets = pass.weights ? pass.weight_sets : 0;
    const uint64_t pitch = pass.values.count_pitch;
    for_each_window(recorder, plan.limits, pass.from, [&](const MergeWindow& window) {
        const uint64_t first = window.first, sets = window.sets;
        const AlignedView dgamma = parts.elements(pass.dgamma, first, sets);
        const AlignedView dbeta = parts.elements(pass.dbeta, first, sets);
        const AlignedView means = parts.elements(pass.means, 2 * first, 2 * sets);
        const AlignedView weights = parts.elements(pass.weights, 0, weight_sets * runs);
        const AlignedView count = parts.elements(pass.values.count, first * pitch, (sets - 1) * pitch + 1);
        const shaders::NormBackwardFinalize push{
            .partials = window.push,
            .gives = feature(shaders::norm_gives_dgamma, bool(dgamma.view)) |
                     feature(shaders::norm_gives_dbeta, bool(dbeta.view)) |
                     feature(shaders::norm_gives_means, bool(means.view)),
            .accumulate = flag(pass.accumulate),
            .dgamma_first = dgamma.first,
            .dbeta_first = dbeta.first,
            .means_first = means.first,
            .weights_first = weights.first,
            .weight_sets = narrow(weight_sets),
            .weight_shift = narrow(weight_sets == 0 ? 0 : first % weight_sets),
            .weight_items = narrow(runs),
            .count_first = count.first,
            .count_pitch = narrow(pitch),
            .counted = flag(bool(count.view)),
            .centred = flag(pass.centred),
            .values = static_cast<float>(std::max<uint64_t>(pass.values.known, 1))};
        dispatch(recorder, {shaders::norm_backward_finalize, window.constants},
                 {read(window.partials.view), read_write(dgamma.view), read_write(dbeta.view),
                  write(means.view), read(weights.view), read(count.view)},
                 push, window.groups);
    });
}

}  // namespace vknorm::detail
