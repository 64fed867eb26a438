#include "ops/batch_norm_passes.hpp"

#include <algorithm>
#include <bit>

#include "ops/sizes.hpp"
#include "shaders/batch_norm.h"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

constexpr uint64_t float_bytes = sizeof(float);

/// A kernel's module for each way to reach the values of a block; see batch_norm_walk.glsl.
struct Modules {
    const shaders::Shader &vectors, &rows, &columns;

    const shaders::Shader& for_tensors(const BatchNormPlan& plan,
                                       std::initializer_list<BufferView> tensors) const {
        if (plan.strategy == Strategy::columns) return columns;
        const bool aligned = std::ranges::all_of(tensors, [](const BufferView& tensor) {
            return tensor.offset % (block_values * float_bytes) == 0;
        });
        return plan.extent.positions % block_values == 0 && aligned ? vectors : rows;
    }
};

const Modules statistics_modules{shaders::batch_norm_statistics_vectors, shaders::batch_norm_statistics_rows,
                                 shaders::batch_norm_statistics_columns};
const Modules apply_modules{shaders::batch_norm_apply_vectors, shaders::batch_norm_apply_rows,
                            shaders::batch_norm_apply_columns};
const Modules backward_sums_modules{shaders::batch_norm_backward_sums_vectors,
                                    shaders::batch_norm_backward_sums_rows,
                                    shaders::batch_norm_backward_sums_columns};
const Modules backward_apply_modules{shaders::batch_norm_backward_apply_vectors,
                                     shaders::batch_norm_backward_apply_rows,
                                     shaders::batch_norm_backward_apply_columns};

/// Binds parts of arguments, and knows where in the binding each begins.
class Parts {
  public:
    explicit Parts(const Recorder& recorder) : device_(recorder.device()) {}

    /// `count` elements from `first` on; absent stays absent.
    AlignedView elements(const BufferView& view, uint64_t first, uint64_t count,
                         uint32_t bytes = float_bytes) const {
        if (!view || count == 0) return {};
        return align_down(device_, {view.buffer, view.offset + first * bytes, count * bytes}, bytes);
    }
    AlignedView box(const BatchNormPlan& plan, const Slice& slice, const BufferView& tensor) const {
        return elements(tensor, slice.first_element(plan.extent), slice.element_range(plan.extent));
    }
    AlignedView channels(const BufferView& view, uint64_t first, uint64_t count) const {
        return elements(view, first, count);
    }
    /// Both halves of the batch's mean for these channels.
    AlignedView mean(const BatchNormPlan& plan, const BufferView& view, uint64_t first,
                     uint64_t count) const {
        return elements(view, first, plan.extent.channels + count);
    }
    AlignedView partials(const BatchNormPlan& plan, const BufferView& scratch, uint64_t first,
                         uint64_t count) const {
        return elements(partials_of(plan, scratch), first * plan.partials, count * plan.partials,
                        partial_bytes);
    }
    AlignedView means(const BatchNormPlan& plan, const BufferView& scratch, uint64_t first,
                      uint64_t count) const {
        const BufferView partials = partials_of(plan, scratch);
        const uint64_t offset = partials.offset + partials.bytes;
        return elements({scratch.buffer, offset, plan.extent.channels * 2 * float_bytes}, 2 * first,
                        2 * count);
    }

  private:
    static BufferView partials_of(const BatchNormPlan& plan, const BufferView& scratch) {
        return {scratch.buffer, round_up<uint64_t>(scratch.offset, partial_bytes),
                plan.extent.channels * plan.partials * partial_bytes};
    }

    const Device& device_;
};

uint32_t narrow(uint64_t value) {
    return static_cast<uint32_t>(value);
}

uint32_t flag(bool value) {
    return value ? 1 : 0;
}

shaders::BatchNormWalk walk(const BatchNormPlan& plan, const Slice& slice) {
    const uint32_t step = block_values * slice.strands.lanes;
    const uint64_t image_pitch = plan.extent.channels * plan.extent.positions;
    // Whatever keeps neighbours near each other in memory.
    const bool chunks_inner = slice.positions >= slice.strands.blocks * step;
    return {.channels = slice.channels,
            .values = slice.values_per_channel(),
            .span = slice.positions,
            .channel_pitch = narrow(plan.extent.positions),
            .image_pitch = narrow(image_pitch),
            .lane_bits = static_cast<uint32_t>(std::countr_zero(slice.strands.lanes)),
            .blocks = slice.strands.blocks,
            .strands = slice.strands.count,
            .chunks_inner = flag(chunks_inner),
            .inner = chunks_inner ? slice.strands.count / slice.strands.lanes : slice.channels,
            .step_address = narrow(step / slice.positions * image_pitch + step % slice.positions),
            .step_position = step % slice.positions};
}

struct BoundStatistics {
    Binding mean, deviation;
    shaders::BatchNormChannels push;
};

BoundStatistics bind(const Parts& parts, const BatchNormPlan& plan, const Slice& slice,
                     const Statistics& statistics) {
    const AlignedView mean = statistics.frozen
                                 ? parts.channels(statistics.mean, slice.channel, slice.channels)
                                 : parts.mean(plan, statistics.mean, slice.channel, slice.channels);
    const AlignedView deviation = parts.channels(statistics.deviation, slice.channel, slice.channels);
    return {read(mean.view),
            read(deviation.view),
            {.low = narrow(plan.extent.channels),
             .mean_first = mean.first,
             .deviation_first = deviation.first,
             .epsilon = statistics.epsilon}};
}

shaders::BatchNormPartials strands_of(const BatchNormPlan& plan, const Slice& slice,
                                      const AlignedView& partials) {
    return {.first = partials.first + slice.partial, .pitch = plan.partials};
}

/// Calls visit(first, count) for the channel ranges that one merging dispatch each covers.
template <class Visit>
void for_each_merge(const BatchNormPlan& plan, Visit visit) {
    for (uint64_t first = 0; first < plan.extent.channels; first += plan.channels_a_merge) {
        visit(first, std::min<uint64_t>(plan.channels_a_merge, plan.extent.channels - first));
    }
}

Groups merge_groups(const BatchNormPlan& plan, uint64_t channels) {
    return {.x = narrow(ceil_div<uint64_t>(channels, merge_workgroup / plan.merge_lanes))};
}

float values_of(const BatchNormPlan& plan) {
    return static_cast<float>(std::max<uint64_t>(plan.extent.values_per_channel(), 1));
}

}  // namespace

void record(Recorder& recorder, const BatchNormPlan& plan, const StatisticsPass& pass) {
    const Label label(recorder, "batch_norm.statistics");
    const Parts parts(recorder);
    const std::array constants{plan.limits.workgroup};
    const Kernel kernel{statistics_modules.for_tensors(plan, {pass.x}), constants};
    AlignedView count = parts.elements(pass.num_batches_tracked, 0, 2);
    for (const Slice& slice : plan.slices) {
        const AlignedView x = parts.box(plan, slice, pass.x);
        const AlignedView partials = parts.partials(plan, pass.scratch, slice.channel, slice.channels);
        const shaders::BatchNormStatistics push{.walk = walk(plan, slice),
                                                .partials = strands_of(plan, slice, partials),
                                                .x_first = x.first,
                                                .counts = flag(bool(count.view)),
                                                .count_first = count.first};
        dispatch(recorder, kernel, {read(x.view), write(partials.view), read_write(count.view)}, push,
                 {.x = plan.groups(slice.strand_count())});
        count.view = {};
    }
    if (plan.slices.empty() && count.view) {
        shaders::BatchNormStatistics push{};
        push.counts = 1;
        push.count_first = count.first;
        dispatch(recorder, kernel, {read({}), write({}), read_write(count.view)}, push, {});
    }
}

void record(Recorder& recorder, const BatchNormPlan& plan, const FinalizePass& pass) {
    const Label label(recorder, "batch_norm.finalize");
    const Parts parts(recorder);
    const std::array constants{merge_workgroup, plan.merge_lanes};
    const Kernel kernel{shaders::batch_norm_finalize, constants};
    const RunningUpdate& running = pass.running;
    for_each_merge(plan, [&](uint64_t first, uint64_t channels) {
        const AlignedView partials = parts.partials(plan, pass.scratch, first, channels);
        const AlignedView mean = parts.mean(plan, pass.mean, first, channels);
        const AlignedView inv_std = parts.channels(pass.inv_std, first, channels);
        const AlignedView running_mean = parts.channels(running.mean, first, channels);
        const AlignedView running_var = parts.channels(running.var, first, channels);
        const AlignedView count =
            parts.elements(running.cumulative ? pass.num_batches_tracked : BufferView{}, 0, 2);
        const shaders::BatchNormFinalize push{
            .partials = {.first = partials.first, .pitch = plan.partials},
            .channels = narrow(channels),
            .low = narrow(plan.extent.channels),
            .mean_first = mean.first,
            .inv_std_first = inv_std.first,
            .running_mean_first = running_mean.first,
            .running_var_first = running_var.first,
            .count_first = count.first,
            .update = flag(bool(running.mean)),
            .cumulative = flag(running.cumulative),
            .take = running.take,
            .keep = running.keep,
            .values = values_of(plan),
            .divisor = running.divisor,
            .epsilon = pass.epsilon,
        };
        dispatch(recorder, kernel,
                 {read(partials.view), write(mean.view), write(inv_std.view), read_write(running_mean.view),
                  read_write(running_var.view), read(count.view)},
                 push, merge_groups(plan, channels));
    });
}

void record(Recorder& recorder, const BatchNormPlan& plan, const ApplyPass& pass) {
    const Label label(recorder, "batch_norm.apply");
    const Parts parts(recorder);
    const std::array constants{plan.limits.workgroup, flag(pass.statistics.frozen), flag(bool(pass.gamma)),
                               flag(bool(pass.beta))};
    for (const Slice& slice : plan.slices) {
        const AlignedView x = parts.box(plan, slice, pass.x);
        const AlignedView y = parts.box(plan, slice, pass.y);
        const BoundStatistics statistics = bind(parts, plan, slice, pass.statistics);
        const AlignedView gamma = parts.channels(pass.gamma, slice.channel, slice.channels);
        const AlignedView beta = parts.channels(pass.beta, slice.channel, slice.channels);
        const shaders::BatchNormApply push{.walk = walk(plan, slice),
                                           .channels = statistics.push,
                                           .x_first = x.first,
                                           .y_first = y.first,
                                           .gamma_first = gamma.first,
                                           .beta_first = beta.first};
        dispatch(recorder, {apply_modules.for_tensors(plan, {pass.x, pass.y}), constants},
                 {read(x.view), write(y.view), statistics.mean, statistics.deviation, read(gamma.view),
                  read(beta.view)},
                 push, {.x = plan.groups(slice.strand_count())});
    }
}

void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardSumsPass& pass) {
    const Label label(recorder, "batch_norm.backward_sums");
    const Parts parts(recorder);
    const std::array constants{plan.limits.workgroup, flag(pass.statistics.frozen), flag(bool(pass.x))};
    for (const Slice& slice : plan.slices) {
        const AlignedView x = parts.box(plan, slice, pass.x);
        const AlignedView dy = parts.box(plan, slice, pass.dy);
        const BoundStatistics statistics = bind(parts, plan, slice, pass.statistics);
        const AlignedView partials = parts.partials(plan, pass.scratch, slice.channel, slice.channels);
        const shaders::BatchNormBackwardSums push{.walk = walk(plan, slice),
                                                  .channels = statistics.push,
                                                  .partials = strands_of(plan, slice, partials),
                                                  .x_first = x.first,
                                                  .dy_first = dy.first};
        dispatch(recorder, {backward_sums_modules.for_tensors(plan, {pass.x, pass.dy}), constants},
                 {read(x.view), read(dy.view), statistics.mean, statistics.deviation, write(partials.view)},
                 push, {.x = plan.groups(slice.strand_count())});
    }
}

void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardFinalizePass& pass) {
    const Label label(recorder, "batch_norm.backward_finalize");
    const Parts parts(recorder);
    const std::array constants{merge_workgroup, plan.merge_lanes};
    for_each_merge(plan, [&](uint64_t first, uint64_t channels) {
        const AlignedView partials = parts.partials(plan, pass.scratch, first, channels);
        const AlignedView dgamma = parts.channels(pass.dgamma, first, channels);
        const AlignedView dbeta = parts.channels(pass.dbeta, first, channels);
        const AlignedView means =
            pass.give_means ? parts.means(plan, pass.scratch, first, channels) : AlignedView{};
        const shaders::BatchNormBackwardFinalize push{
            .partials = {.first = partials.first, .pitch = plan.partials},
            .channels = narrow(channels),
            .give_dgamma = flag(bool(pass.dgamma)),
            .give_dbeta = flag(bool(pass.dbeta)),
            .give_means = flag(pass.give_means),
            .dgamma_first = dgamma.first,
            .dbeta_first = dbeta.first,
            .means_first = means.first,
            .values = values_of(plan)};
        dispatch(recorder, {shaders::batch_norm_backward_finalize, constants},
                 {read(partials.view), write(dgamma.view), write(dbeta.view), write(means.view)}, push,
                 merge_groups(plan, channels));
    });
}

void record(Recorder& recorder, const BatchNormPlan& plan, const BackwardApplyPass& pass) {
    const Label label(recorder, "batch_norm.backward_apply");
    const Parts parts(recorder);
    // An absent x stands nowhere, and so is aligned.
    const std::array constants{plan.limits.workgroup, flag(pass.statistics.frozen), flag(bool(pass.gamma))};
    for (const Slice& slice : plan.slices) {
        const AlignedView x = parts.box(plan, slice, pass.x);
        const AlignedView dy = parts.box(plan, slice, pass.dy);
        const AlignedView dx = parts.box(plan, slice, pass.dx);
        const BoundStatistics statistics = bind(parts, plan, slice, pass.statistics);
        const AlignedView gamma = parts.channels(pass.gamma, slice.channel, slice.channels);
        const AlignedView means = pass.statistics.frozen
                                      ? AlignedView{}
                                      : parts.means(plan, pass.scratch, slice.channel, slice.channels);
        const shaders::BatchNormBackwardApply push{.walk = walk(plan, slice),
                                                   .channels = statistics.push,
                                                   .x_first = x.first,
                                                   .dy_first = dy.first,
                                                   .dx_first = dx.first,
                                                   .gamma_first = gamma.first,
                                                   .means_first = means.first};
        dispatch(recorder, {backward_apply_modules.for_tensors(plan, {pass.x, pass.dy, pass.dx}), constants},
                 {read(x.view), read(dy.view), write(dx.view), statistics.mean, statistics.deviation,
                  read(gamma.view), read(means.view)},
                 push, {.x = plan.groups(slice.strand_count())});
    }
}

}  // namespace vknorm::detail
