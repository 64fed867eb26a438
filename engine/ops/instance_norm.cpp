#include "vknorm/instance_norm.hpp"

#include "ops/norm/images.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr const char* name = "instance_norm";

GroupNormOptions group_options(const InstanceNormOptions& options) {
    if (options.shape.size() < 3 || options.shape.size() > 5)
        refuse(name, "shape", std::to_string(options.shape.size()) + " dimensions", "3 to 5");
    check_momentum(name, options.convention.momentum);
    const bool last = options.layout == Layout::channels_last;
    const uint32_t channels = last ? options.shape.back() : options.shape[1];
    return {.shape = options.shape,
            .layout = options.layout,
            .groups = channels,
            .epsilon = options.convention.epsilon,
            .storage = options.storage};
}

}  // namespace

struct InstanceNorm::Plan : ImageNormPlan {
    Plan(Device& from, const InstanceNormOptions& given)
        : ImageNormPlan(name, from, group_options(given)),
          options(given),
          batch(from, {.shape = given.shape,
                       .layout = given.layout,
                       .convention = given.convention,
                       .storage = given.storage}),
          moments(scratch.add(sets() * partial_bytes)),
          average(scratch.add(work.extent.channels * partial_bytes)) {
        // The moments of all sets are averaged at once.
        const uint64_t most = (work.limits.range - work.limits.alignment) / partial_bytes;
        if (sets() > most)
            refuse(name, "shape", std::to_string(sets()) + " images and channels",
                   "at most " + std::to_string(most) + " on this device");
    }

    InstanceNormOptions options;
    BatchNorm batch;         ///< with running statistics
    Piece moments, average;  ///< of each set; of each channel over the images
};

InstanceNorm::InstanceNorm(Device& device, const InstanceNormOptions& options)
    : plan_(std::make_unique<const Plan>(device, options)) {}

InstanceNorm::~InstanceNorm() = default;
InstanceNorm::InstanceNorm(InstanceNorm&&) noexcept = default;
InstanceNorm& InstanceNorm::operator=(InstanceNorm&&) noexcept = default;

uint32_t InstanceNorm::channels() const {
    return plan_->batch.channels();
}
uint64_t InstanceNorm::elements() const {
    return plan_->work.extent.elements();
}
uint64_t InstanceNorm::sets() const {
    return plan_->sets();
}
VkDeviceSize InstanceNorm::scratch_bytes() const {
    return std::max(plan_->scratch.bytes(), plan_->batch.scratch_bytes());
}
std::string InstanceNorm::explain() const {
    return detail::explain(plan_->work) + explain_passes(*plan_->device, plan_->work, plan_->tensors) +
           "  scratch: " + std::to_string(scratch_bytes()) + " bytes\n";
}

void InstanceNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward_training");
    const BatchNormConvention& convention = plan.options.convention;
    if (plan.work.extent.values_per_line() == 1) {
        check.refuse("x", "1 value per channel and image, shape " + shape_text(plan.options.shape),
                     "more than 1 when training");
    }
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.set_bytes());
    check.output("inv_std", arguments.inv_std, plan.set_bytes());
    check_running(check, convention, plan.channel_bytes(), arguments.running_mean, arguments.running_var,
                  arguments.num_batches_tracked);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = plan.partials.of(arguments.scratch);
    const Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    record(recorder, plan.work, plan.tensors,
           StatisticsPass{
               .x = arguments.x, .num_batches_tracked = arguments.num_batches_tracked, .partials = partials});
    PartialSets from = partials_of_sets(plan.work, 1, partials);
    if (arguments.running_mean) {
        const BufferView moments = plan.moments.of(arguments.scratch);
        const BufferView average = plan.average.of(arguments.scratch);
        const uint64_t images = plan.work.extent.samples, channels = plan.work.extent.channels;
        record(recorder, plan.work, Merged::moments, MergePass{.from = from, .result = moments});
        record(recorder, plan.work, Merged::average,
               MergePass{.from = partials_of_parts(moments, images, channels), .result = average});
        record(recorder, plan.work,
               FinalizePass{.from = partials_of_parts(average, 1, channels),
                            .running = running_update(convention, 1, arguments.running_mean,
                                                      arguments.running_var, arguments.num_batches_tracked)});
        from = partials_of_parts(moments, 1, plan.sets());
    }
    record(recorder, plan.work,
           FinalizePass{.from = from,
                        .mean = arguments.mean,
                        .inv_std = arguments.inv_std,
                        .epsilon = convention.epsilon});
    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = statistics});
}

void InstanceNorm::backward(Recorder& recorder, const Backward& arguments) const {
    plan_->backward(recorder, arguments);
}

void InstanceNorm::forward_inference(Recorder& recorder, const BatchNorm::ForwardInference& arguments) const {
    plan_->batch.forward_inference(recorder, arguments);
}

void InstanceNorm::backward_frozen(Recorder& recorder, const BatchNorm::BackwardFrozen& arguments) const {
    plan_->batch.backward_frozen(recorder, arguments);
}

}  // namespace vknorm
