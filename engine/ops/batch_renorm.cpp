#include "vknorm/batch_renorm.hpp"

#include <algorithm>
#include <cmath>

#include "ops/launch.hpp"
#include "ops/norm/bind.hpp"
#include "ops/norm/options.hpp"
#include "shaders/batch_norm.h"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "batch_renorm";

BatchRenormOptions checked(Device& device, const BatchRenormOptions& options) {
    check_momentum(name, options.momentum);
    if (!(options.epsilon > 0 && std::isfinite(options.epsilon)))
        refuse(name, "epsilon", std::to_string(options.epsilon), "a finite number above 0");
    check_storage(name, device, options.storage);
    return options;
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

struct BatchRenorm::Plan {
    Plan(Device& from, const BatchRenormOptions& given)
        : device(&from.state()),
          options(checked(from, given)),
          work(plan_norm(name, batch_extent(name, given.shape, given.layout == Layout::channels_last),
                         storage_bytes(given.storage), limits_of(from))),
          tensors{.bfloat16 = given.storage == Storage::bfloat16},
          partials(scratch.add(work.partial_bytes())),
          merged(scratch.add(channels() * partial_bytes)),
          means(scratch.add(2 * channel_bytes())),
          scale(scratch.add(channel_bytes())),
          shift(scratch.add(channel_bytes())) {}

    const DeviceState* device;
    BatchRenormOptions options;
    NormPlan work;
    Tensors tensors;
    Scratch scratch{};
    Piece partials;
    Piece merged;        ///< moments, or sums
    Piece means;         ///< of dy and dy * x^
    Piece scale, shift;  ///< gamma and beta, corrected

    uint64_t channels() const { return work.extent.channels; }
    uint64_t channel_bytes() const { return channels() * sizeof(float); }

    void correct(Recorder& recorder, const ForwardTraining& arguments) const;
    void correct(Recorder& recorder, const Backward& arguments) const;

  private:
    AlignedView of_channels(const Parts& parts, const BufferView& view) const {
        return parts.elements(view, 0, channels());
    }
};

void BatchRenorm::Plan::correct(Recorder& recorder, const ForwardTraining& arguments) const {
    const Label label(recorder, "batch_renorm.correct");
    const Parts parts(recorder);
    const AlignedView moments = parts.elements(merged.of(arguments.scratch), 0, channels(), partial_bytes);
    const AlignedView moving_mean = of_channels(parts, arguments.moving_mean);
    const AlignedView moving_deviation = of_channels(parts, arguments.moving_deviation);
    const AlignedView gamma = of_channels(parts, arguments.gamma), beta = of_channels(parts, arguments.beta);
    const AlignedView r = of_channels(parts, arguments.r), d = of_channels(parts, arguments.d);
    const AlignedView scales = of_channels(parts, scale.of(arguments.scratch));
    const AlignedView shifts = of_channels(parts, shift.of(arguments.scratch));
    const Launch launch = spread(recorder.device().capabilities(), channels());
    const uint32_t constants[] = {launch.workgroup};
    const shaders::BatchRenormForward push{.channels = narrow(channels()),
                                           .given = feature(shaders::renorm_gamma, bool(gamma.view)) |
                                                    feature(shaders::renorm_beta, bool(beta.view)),
                                           .variances = flag(options.moving == MovingDeviation::variance),
                                           .keep = static_cast<float>(1 - double{options.momentum}),
                                           .take = options.momentum,
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
                                           .shift_first = shifts.first};
    dispatch(recorder, {shaders::batch_renorm_forward, constants},
             {read(moments.view), read_write(moving_mean.view), read_write(moving_deviation.view),
              read(gamma.view), read(beta.view), write(r.view), write(d.view), write(scales.view),
              write(shifts.view)},
             push, launch.groups);
}

void BatchRenorm::Plan::correct(Recorder& recorder, const Backward& arguments) const {
    const Label label(recorder, "batch_renorm.correct");
    const Parts parts(recorder);
    const AlignedView sums = parts.elements(merged.of(arguments.scratch), 0, channels(), partial_bytes);
    const AlignedView r = of_channels(parts, arguments.r), d = of_channels(parts, arguments.d);
    const AlignedView gamma = of_channels(parts, arguments.gamma);
    const AlignedView scales = of_channels(parts, scale.of(arguments.scratch));
    const AlignedView dgamma = of_channels(parts, arguments.dgamma);
    const Launch launch = spread(recorder.device().capabilities(), channels());
    const uint32_t constants[] = {launch.workgroup};
    const shaders::BatchRenormBackward push{.channels = narrow(channels()),
                                            .given = feature(shaders::renorm_gamma, bool(gamma.view)) |
                                                     feature(shaders::renorm_dgamma, bool(dgamma.view)),
                                            .accumulate = flag(arguments.accumulate),
                                            .sums_first = sums.first,
                                            .r_first = r.first,
                                            .d_first = d.first,
                                            .gamma_first = gamma.first,
                                            .scale_first = scales.first,
                                            .dgamma_first = dgamma.first};
    dispatch(recorder, {shaders::batch_renorm_backward, constants},
             {read(sums.view), read(r.view), read(d.view), read(gamma.view), write(scales.view),
              read_write(dgamma.view)},
             push, launch.groups);
}

BatchRenorm::BatchRenorm(Device& device, const BatchRenormOptions& options)
    : plan_(std::make_unique<const Plan>(device, options)) {}

BatchRenorm::~BatchRenorm() = default;
BatchRenorm::BatchRenorm(BatchRenorm&&) noexcept = default;
BatchRenorm& BatchRenorm::operator=(BatchRenorm&&) noexcept = default;

uint32_t BatchRenorm::channels() const {
    return static_cast<uint32_t>(plan_->channels());
}
uint64_t BatchRenorm::elements() const {
    return plan_->work.extent.elements();
}
VkDeviceSize BatchRenorm::scratch_bytes() const {
    return plan_->scratch.bytes();
}
std::string BatchRenorm::explain() const {
    return detail::explain(plan_->work) + explain_passes(*plan_->device, plan_->work, plan_->tensors) +
           "  scratch: " + std::to_string(scratch_bytes()) + " bytes\n";
}

void BatchRenorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward_training");
    if (plan.work.extent.values_per_line() == 1) {
        check.refuse("x", "1 value per channel, shape " + shape_text(plan.options.shape),
                     "more than 1 when training");
    }
    check_limits(check, arguments.limits);
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("moving_mean", arguments.moving_mean, plan.channel_bytes());
    check.output("moving_deviation", arguments.moving_deviation, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.channel_bytes());
    check.output("inv_std", arguments.inv_std, plan.channel_bytes());
    check.output("r", arguments.r, plan.channel_bytes());
    check.output("d", arguments.d, plan.channel_bytes());
    check.optional_output("num_batches_tracked", arguments.num_batches_tracked, 2 * sizeof(uint32_t));
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = plan.partials.of(arguments.scratch);
    const BufferView moments = plan.merged.of(arguments.scratch);
    record(recorder, plan.work, plan.tensors,
           StatisticsPass{
               .x = arguments.x, .num_batches_tracked = arguments.num_batches_tracked, .partials = partials});
    record(recorder, plan.work, Merged::moments,
           MergePass{.from = partials_of_sets(plan.work, 1, partials), .result = moments});
    record(recorder, plan.work,
           FinalizePass{.from = partials_of_parts(moments, 1, plan.channels()),
                        .mean = arguments.mean,
                        .inv_std = arguments.inv_std,
                        .epsilon = plan.options.epsilon});
    plan.correct(recorder, arguments);
    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .affine = {plan.scale.of(arguments.scratch), plan.shift.of(arguments.scratch)},
                     .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void BatchRenorm::forward_inference(Recorder& recorder, const ForwardInference& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward_inference");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.input("moving_mean", arguments.moving_mean, plan.channel_bytes());
    check.input("moving_deviation", arguments.moving_deviation, plan.channel_bytes());
    check.check_overlap();

    const bool variances = plan.options.moving == MovingDeviation::variance;
    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = {.kind = variances ? shaders::norm_of_running : shaders::norm_of_moving,
                                    .mean = arguments.moving_mean,
                                    .deviation = arguments.moving_deviation,
                                    .epsilon = plan.options.epsilon}});
}

void BatchRenorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * plan.channel_bytes());
    check.input("inv_std", arguments.inv_std, plan.channel_bytes());
    check.input("r", arguments.r, plan.channel_bytes());
    check.input("d", arguments.d, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    if (!arguments.dx && !arguments.dgamma && !arguments.dbeta) return;

    const Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const BufferView partials = plan.partials.of(arguments.scratch);
    const BufferView sums = plan.merged.of(arguments.scratch), means = plan.means.of(arguments.scratch);
    record(recorder, plan.work, plan.tensors,
           BackwardSumsPass{
               .x = arguments.x, .dy = arguments.dy, .statistics = statistics, .partials = partials});
    record(recorder, plan.work, Merged::sums,
           MergePass{.from = partials_of_sets(plan.work, 1, partials), .result = sums});
    record(recorder, plan.work,
           BackwardFinalizePass{.from = partials_of_parts(sums, 1, plan.channels()),
                                .dbeta = arguments.dbeta,
                                .accumulate = arguments.accumulate,
                                .means = means,
                                .values = {.known = plan.work.extent.values_per_line()}});
    plan.correct(recorder, arguments);
    if (!arguments.dx) return;
    record(recorder, plan.work, plan.tensors,
           BackwardApplyPass{.x = arguments.x,
                             .dy = arguments.dy,
                             .dx = arguments.dx,
                             .affine = {.gamma = plan.scale.of(arguments.scratch)},
                             .statistics = statistics,
                             .means = means});
}

}  // namespace vknorm
