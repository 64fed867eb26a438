#include "vknorm/batch_renorm.hpp"

#include <algorithm>
#include <cmath>

#include "ops/grid.hpp"
#include "ops/norm/arguments.hpp"
#include "ops/norm/bind.hpp"
#include "ops/norm/options.hpp"
#include "shaders/batch_norm.h"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "batch_renorm";

Extent extent_of(const BatchRenormOptions& options) {
    require_value(name, "moving", options.moving, MovingDeviation::variance);
    check_momentum(name, options.momentum);
    if (!(options.epsilon > 0 && std::isfinite(options.epsilon)))
        refuse(name, "epsilon", std::to_string(options.epsilon), "a finite number above 0");
    return batch_extent(name, options.shape, options.layout);
}

void check_limits(const Arguments& check, const RenormLimits& limits) {
    if (!(limits.r_max >= 1 && std::isfinite(limits.r_max)))
        check.refuse("limits.r_max", std::to_string(limits.r_max), "a finite number from 1 on");
    if (!(limits.d_max >= 0 && std::isfinite(limits.d_max)))
        check.refuse("limits.d_max", std::to_string(limits.d_max), "a finite number from 0 on");
}

/// From 0 to 1 between two steps.
float ramp(uint64_t step, uint64_t from, uint64_t to) {
    const uint64_t now = std::clamp(step, from, to);
    return static_cast<float>(static_cast<double>(now - from) / static_cast<double>(to - from));
}

}  // namespace

RenormLimits paper_schedule(uint64_t step) {
    return {.r_max = 1 + 2 * ramp(step, 5000, 40000), .d_max = 5 * ramp(step, 5000, 25000)};
}

struct BatchRenorm::Impl {
    Impl(Device& device, const BatchRenormOptions& given)
        : options(given),
          norm(device, plan_norm(name, extent_of(given), given.storage, limits_of(device))),
          partials(scratch.add(plan().partial_bytes())),
          merged(scratch.add(channels() * partial_bytes)),
          means(scratch.add(2 * channel_bytes())),
          scale(scratch.add(channel_bytes())),
          shift(scratch.add(channel_bytes())),
          staging(scratch.add(given.guard ? 2 * channel_bytes() : 0)) {}

    BatchRenormOptions options;
    NormPasses norm;
    Scratch scratch{};
    ScratchRange partials;
    ScratchRange merged;        ///< moments, or sums
    ScratchRange means;         ///< of dy and dy * x^
    ScratchRange scale, shift;  ///< gamma and beta, corrected
    ScratchRange staging;       ///< with a guard

    const NormPlan& plan() const { return norm.plan(); }
    uint64_t channels() const { return plan().extent.channels; }
    uint64_t channel_bytes() const { return plan().channel_bytes(); }

    /// The moving statistics' update.
    RunningUpdate update(const ForwardTraining& arguments) const {
        return {.mean = arguments.moving_mean,
                .var = arguments.moving_deviation,
                .keep = static_cast<float>(1 - double{options.momentum}),
                .take = options.momentum,
                .num_batches_tracked = arguments.num_batches_tracked,
                .staging = staging.of(arguments.scratch),
                .num_batches_refused = arguments.num_batches_refused};
    }
    void correct_forward(Recorder& recorder, const ForwardTraining& arguments,
                         const RunningUpdate& moving) const;
    void correct_backward(Recorder& recorder, const Backward& arguments) const;

  private:
    AlignedView of_channels(const Device& device, const BufferView& view) const {
        return bind_elements(device, view, 0, channels());
    }
};

void BatchRenorm::Impl::correct_forward(Recorder& recorder, const ForwardTraining& arguments,
                                        const RunningUpdate& moving) const {
    const Label label(recorder, "batch_renorm.correct");
    const Device& device = recorder.device();
    const AlignedView moments =
        bind_elements(device, merged.of(arguments.scratch), 0, channels(), partial_bytes);
    const AlignedView moving_mean = of_channels(device, moving.mean);
    const AlignedView moving_deviation = of_channels(device, moving.var);
    const StagedStatistics staged(moving, channel_bytes());
    const bool stages = bool(moving.staging);
    const AlignedView batch_mean = of_channels(device, stages ? staged.mean : BufferView{});
    const AlignedView batch_deviation = of_channels(device, stages ? staged.var : BufferView{});
    const AlignedView mean = bind_elements(device, arguments.mean, 0, 2 * channels());
    const AlignedView inv_std = of_channels(device, arguments.inv_std);
    const AlignedView gamma = of_channels(device, arguments.gamma),
                      beta = of_channels(device, arguments.beta);
    const AlignedView r = of_channels(device, arguments.r), d = of_channels(device, arguments.d);
    const AlignedView scales = of_channels(device, scale.of(arguments.scratch));
    const AlignedView shifts = of_channels(device, shift.of(arguments.scratch));
    const Grid grid = strided_grid(device.capabilities(), channels());
    const uint32_t constants[] = {grid.workgroup};
    const shaders::BatchRenormForward push{.channels = narrow(channels()),
                                           .given = bit_if(bool(gamma.view), shaders::renorm_gamma) |
                                                    bit_if(bool(beta.view), shaders::renorm_beta),
                                           .variances = options.moving == MovingDeviation::variance,
                                           .keep = moving.keep,
                                           .take = moving.take,
                                           .epsilon = options.epsilon,
                                           .r_min = 1 / arguments.limits.r_max,
                                           .r_max = arguments.limits.r_max,
                                           .d_max = arguments.limits.d_max,
                                           .moments_first = moments.first,
                                           .moving_mean_first = moving_mean.first,
                                           .moving_deviation_first = moving_deviation.first,
                                           .gamma_first = gamma.first,
                                           .beta_first = beta.first,
                                           .r_first = r.first,
                                           .d_first = d.first,
                                           .scale_first = scales.first,
                                           .shift_first = shifts.first,
                                           .staged = stages,
                                           .batch_mean_first = batch_mean.first,
                                           .batch_deviation_first = batch_deviation.first,
                                           .mean_first = mean.first,
                                           .inv_std_first = inv_std.first};
    dispatch(recorder, {shaders::batch_renorm_forward, constants},
             {read(moments.view), read_write(moving_mean.view), read_write(moving_deviation.view),
              read(gamma.view), read(beta.view), write(r.view), write(d.view), write(scales.view),
              write(shifts.view), write(batch_mean.view), write(batch_deviation.view), read(mean.view),
              read(inv_std.view)},
             push, grid.groups);
    if (stages) norm.commit(recorder, moving);
}

void BatchRenorm::Impl::correct_backward(Recorder& recorder, const Backward& arguments) const {
    const Label label(recorder, "batch_renorm.correct");
    const Device& device = recorder.device();
    const AlignedView sums =
        bind_elements(device, merged.of(arguments.scratch), 0, channels(), partial_bytes);
    const AlignedView r = of_channels(device, arguments.r), d = of_channels(device, arguments.d);
    const AlignedView gamma = of_channels(device, arguments.gamma);
    const AlignedView scales = of_channels(device, scale.of(arguments.scratch));
    const AlignedView dgamma = of_channels(device, arguments.dgamma);
    const Grid grid = strided_grid(device.capabilities(), channels());
    const uint32_t constants[] = {grid.workgroup};
    const shaders::BatchRenormBackward push{.channels = narrow(channels()),
                                            .given = bit_if(bool(gamma.view), shaders::renorm_gamma) |
                                                     bit_if(bool(dgamma.view), shaders::renorm_dgamma),
                                            .accumulate = arguments.accumulate,
                                            .sums_first = sums.first,
                                            .r_first = r.first,
                                            .d_first = d.first,
                                            .gamma_first = gamma.first,
                                            .scale_first = scales.first,
                                            .dgamma_first = dgamma.first};
    dispatch(recorder, {shaders::batch_renorm_backward, constants},
             {read(sums.view), read(r.view), read(d.view), read(gamma.view), write(scales.view),
              read_write(dgamma.view)},
             push, grid.groups);
}

BatchRenorm::BatchRenorm(Device& device, const BatchRenormOptions& options)
    : impl_("BatchRenorm", std::make_shared<const Impl>(device, options)) {}

uint32_t BatchRenorm::channels() const {
    return static_cast<uint32_t>(impl_->channels());
}
uint64_t BatchRenorm::elements() const {
    return impl_->plan().extent.elements();
}
VkDeviceSize BatchRenorm::scratch_bytes() const {
    return impl_->scratch.bytes();
}
std::string BatchRenorm::explain() const {
    return impl_->norm.explain() + "  " + explain_scratch(scratch_bytes());
}

void BatchRenorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "forward_training");
    if (impl.plan().extent.values_per_channel() == 1) {
        check.refuse("x", "1 value per channel, shape " + shape_text(impl.options.shape),
                     "more than 1 when training");
    }
    check_limits(check, arguments.limits);
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    check.output("moving_mean", arguments.moving_mean, impl.channel_bytes());
    check.output("moving_deviation", arguments.moving_deviation, impl.channel_bytes());
    check.output("mean", arguments.mean, 2 * impl.channel_bytes());
    check.output("inv_std", arguments.inv_std, impl.channel_bytes());
    check.output("r", arguments.r, impl.channel_bytes());
    check.output("d", arguments.d, impl.channel_bytes());
    check.optional_output("num_batches_tracked", arguments.num_batches_tracked, sizeof(int64_t));
    check_refused(check, impl.options.guard, arguments.num_batches_refused);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = impl.partials.of(arguments.scratch);
    const BufferView moments = impl.merged.of(arguments.scratch);
    const RunningUpdate moving = impl.update(arguments);
    impl.norm.statistics(
        recorder, {.x = arguments.x, .num_batches_tracked = counted_at_once(moving), .partials = partials});
    impl.norm.merge(
        recorder,
        {.what = Merged::moments, .from = partials_of_sets(impl.plan(), partials), .result = moments});
    impl.norm.finalize(recorder, {.from = partials_of_parts(moments, 1, impl.channels()),
                                  .x = arguments.x,
                                  .mean = arguments.mean,
                                  .inv_std = arguments.inv_std,
                                  .epsilon = impl.options.epsilon});
    impl.correct_forward(recorder, arguments, moving);
    impl.norm.apply(recorder, {.x = arguments.x,
                               .y = arguments.y,
                               .affine = {impl.scale.of(arguments.scratch), impl.shift.of(arguments.scratch)},
                               .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void BatchRenorm::forward_inference(Recorder& recorder, const ForwardInference& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "forward_inference");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    check.input("moving_mean", arguments.moving_mean, impl.channel_bytes());
    check.input("moving_deviation", arguments.moving_deviation, impl.channel_bytes());
    check.check_overlap();

    const bool variances = impl.options.moving == MovingDeviation::variance;
    impl.norm.apply(recorder,
                    {.x = arguments.x,
                     .y = arguments.y,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = {.kind = variances ? shaders::norm_of_running : shaders::norm_of_moving,
                                    .mean = arguments.moving_mean,
                                    .deviation = arguments.moving_deviation,
                                    .epsilon = impl.options.epsilon}});
}

void BatchRenorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * impl.channel_bytes());
    check.input("inv_std", arguments.inv_std, impl.channel_bytes());
    check.input("r", arguments.r, impl.channel_bytes());
    check.input("d", arguments.d, impl.channel_bytes());
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, impl.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, impl.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    if (!arguments.dx && !arguments.dgamma && !arguments.dbeta) return;

    const StatisticsView statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const BufferView partials = impl.partials.of(arguments.scratch);
    const BufferView sums = impl.merged.of(arguments.scratch), means = impl.means.of(arguments.scratch);
    impl.norm.backward_sums(
        recorder, {.x = arguments.x, .dy = arguments.dy, .statistics = statistics, .partials = partials});
    impl.norm.merge(recorder,
                    {.what = Merged::sums, .from = partials_of_sets(impl.plan(), partials), .result = sums});
    impl.norm.backward_finalize(recorder, {.from = partials_of_parts(sums, 1, impl.channels()),
                                           .dbeta = arguments.dbeta,
                                           .accumulate = arguments.accumulate,
                                           .means = means,
                                           .values = {.known = impl.plan().extent.values_per_channel()}});
    impl.correct_backward(recorder, arguments);
    if (!arguments.dx) return;
    impl.norm.backward_apply(recorder, {.x = arguments.x,
                                        .dy = arguments.dy,
                                        .dx = arguments.dx,
                                        .affine = {.gamma = impl.scale.of(arguments.scratch)},
                                        .statistics = statistics,
                                        .means = means});
}

}  // namespace vknorm
