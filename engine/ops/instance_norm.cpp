#include "vknorm/instance_norm.hpp"

#include <algorithm>

#include "ops/norm/arguments.hpp"
#include "ops/norm/groups.hpp"
#include "ops/norm/options.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr const char* name = "instance_norm";

GroupNormOptions group_options(const InstanceNormOptions& options) {
    if (options.shape.size() < 3 || options.shape.size() > 5)
        refuse(name, "shape", std::to_string(options.shape.size()) + " dimensions", "3 to 5");
    check_convention(name, options.convention);
    const bool last = options.layout == Layout::channels_last;
    const uint32_t channels = last ? options.shape.back() : options.shape[1];
    return {.shape = options.shape,
            .layout = options.layout,
            .groups = channels,
            .epsilon = options.convention.epsilon,
            .storage = options.storage};
}

}  // namespace

struct InstanceNorm::Impl : GroupedNorm {
    Impl(Device& device, const InstanceNormOptions& given)
        : GroupedNorm(name, device, group_options(given)),
          options(given),
          batch(device, {.shape = given.shape,
                         .layout = given.layout,
                         .convention = given.convention,
                         .storage = given.storage}),
          moments(scratch.add(plan().sets() * partial_bytes)),
          average(scratch.add(plan().extent.channels * partial_bytes)),
          staging(scratch.add(given.guard ? 2 * plan().channel_bytes() : 0)) {
        // The moments of all sets are averaged at once.
        const uint64_t sets = plan().sets(), most = plan().limits.binding_bytes() / partial_bytes;
        if (sets > most)
            refuse(name, "shape", std::to_string(sets) + " images and channels",
                   "at most " + std::to_string(most) + " on this device");
    }

    InstanceNormOptions options;
    BatchNorm batch;                ///< with running statistics
    ScratchRange moments, average;  ///< of each set; of each channel over the images
    ScratchRange staging;           ///< with a guard
};

InstanceNorm::InstanceNorm(Device& device, const InstanceNormOptions& options)
    : impl_("InstanceNorm", std::make_shared<const Impl>(device, options)) {}

uint32_t InstanceNorm::channels() const {
    return impl_->batch.channels();
}
uint64_t InstanceNorm::elements() const {
    return impl_->plan().extent.elements();
}
uint64_t InstanceNorm::sets() const {
    return impl_->plan().sets();
}
VkDeviceSize InstanceNorm::scratch_bytes() const {
    return std::max(impl_->scratch.bytes(), impl_->batch.scratch_bytes());
}
std::string InstanceNorm::explain() const {
    return impl_->norm.explain_fused() + "  " + explain_scratch(scratch_bytes());
}

void InstanceNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Impl& impl = *impl_;
    const NormPasses& norm = impl.norm;
    const NormPlan& plan = impl.plan();
    NormArguments check(recorder, norm, "forward_training");
    const BatchNormConvention& convention = impl.options.convention;
    if (plan.extent.values_per_channel() == 1) {
        check.refuse("x", "1 value per channel and image, shape " + shape_text(impl.options.shape),
                     "more than 1 when training");
    }
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.set_bytes());
    check.output("inv_std", arguments.inv_std, plan.set_bytes());
    const auto running = RunningBuffers::of(arguments);
    check_running(check, convention, impl.options.guard, plan.channel_bytes(), running);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = impl.partials.of(arguments.scratch);
    const StatisticsView statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const RunningUpdate update = running_update(convention, 1, running, impl.staging.of(arguments.scratch));
    const StatisticsPass measured{
        .x = arguments.x, .num_batches_tracked = counted_at_once(update), .partials = partials};
    FinalizePass finalize{.from = partials_of_sets(plan, partials),
                          .x = arguments.x,
                          .mean = arguments.mean,
                          .inv_std = arguments.inv_std,
                          .epsilon = convention.epsilon};
    const ApplyPass apply{.x = arguments.x,
                          .y = arguments.y,
                          .affine = {arguments.gamma, arguments.beta},
                          .statistics = statistics};
    if (!update.mean && !update.staging) {
        norm.forward(recorder, measured, finalize, apply);
        return;
    }
    // The running statistics take the average of the images'.
    const BufferView moments = impl.moments.of(arguments.scratch);
    const BufferView average = impl.average.of(arguments.scratch);
    const uint64_t images = plan.extent.samples, channels = plan.extent.channels;
    norm.statistics(recorder, measured);
    norm.merge(recorder, {.what = Merged::moments, .from = finalize.from, .result = moments});
    norm.merge(
        recorder,
        {.what = Merged::average, .from = partials_of_parts(moments, images, channels), .result = average});
    norm.finalize(recorder, {.from = partials_of_parts(average, 1, channels), .running = update});
    finalize.from = partials_of_parts(moments, 1, plan.sets());
    norm.finalize(recorder, finalize);
    norm.apply(recorder, apply);
}

void InstanceNorm::backward(Recorder& recorder, const Backward& arguments) const {
    impl_->backward(recorder, arguments);
}

void InstanceNorm::forward_inference(Recorder& recorder, const BatchNorm::ForwardInference& arguments) const {
    impl_->batch.forward_inference(recorder, arguments);
}

void InstanceNorm::backward_frozen(Recorder& recorder, const BatchNorm::BackwardFrozen& arguments) const {
    impl_->batch.backward_frozen(recorder, arguments);
}

}  // namespace vknorm
