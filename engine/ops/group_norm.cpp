#include "vknorm/group_norm.hpp"

#include "ops/norm/images.hpp"

namespace vknorm {

using namespace detail;

ImageNormPlan::ImageNormPlan(const std::string& operation, Device& from, const GroupNormOptions& options)
    : device(&from.state()), epsilon(options.epsilon) {
    check_epsilon(operation, epsilon);
    check_storage(operation, from, options.storage);
    const Extent extent = image_extent(operation, options.shape, options.layout == Layout::channels_last);
    if (options.groups == 0 || extent.channels % options.groups != 0)
        refuse(operation, "groups", std::to_string(options.groups),
               "a divisor of the " + std::to_string(extent.channels) + " channels");
    work = plan_norm(operation, extent, storage_bytes(options.storage), limits_of(from));
    tensors = {.bfloat16 = options.storage == Storage::bfloat16,
               .group = static_cast<uint32_t>(extent.channels / options.groups)};
    partials = scratch.add(work.partial_bytes());
    means = scratch.add(2 * set_bytes());
}

void ImageNormPlan::backward(Recorder& recorder, const GroupNorm::Backward& arguments) const {
    NormArguments check(recorder, device, work, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.input("mean", arguments.mean, 2 * set_bytes());
    check.input("inv_std", arguments.inv_std, set_bytes());
    check.optional_input("gamma", arguments.gamma, channel_bytes());
    check.optional_output("dgamma", arguments.dgamma, channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, channel_bytes());
    check.output("scratch", arguments.scratch, scratch.bytes());
    check.check_overlap();
    if (!arguments.dx && !arguments.dgamma && !arguments.dbeta) return;

    const Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const BufferView sums = partials.of(arguments.scratch), pairs = means.of(arguments.scratch);
    record(recorder, work, tensors,
           BackwardSumsPass{.x = arguments.dx || arguments.dgamma ? arguments.x : BufferView{},
                            .dy = arguments.dy,
                            .statistics = statistics,
                            .partials = sums});
    if (arguments.dgamma || arguments.dbeta) {
        const uint64_t most = samples_of_a_merge(work), samples = work.extent.samples;
        for (uint64_t sample = 0; sample == 0 || sample < samples; sample += most) {
            record(recorder, work,
                   BackwardFinalizePass{
                       .from = partials_of_channels(work, sums, sample, std::min(most, samples - sample)),
                       .dgamma = arguments.dgamma,
                       .dbeta = arguments.dbeta,
                       .accumulate = arguments.accumulate || sample > 0});
        }
    }
    if (!arguments.dx) return;
    // What all values of a set share may as well be applied to their means.
    const bool weighted = arguments.gamma && tensors.group > 1;
    record(recorder, work,
           BackwardFinalizePass{.from = partials_of_sets(work, tensors.group, sums),
                                .means = pairs,
                                .values = {.known = work.extent.values_per_line() * tensors.group},
                                .weights = weighted ? arguments.gamma : BufferView{},
                                .weight_sets = work.extent.channels / tensors.group});
    record(recorder, work, tensors,
           BackwardApplyPass{.x = arguments.x,
                             .dy = arguments.dy,
                             .dx = arguments.dx,
                             .affine = {.gamma = arguments.gamma},
                             .weighted = weighted,
                             .statistics = statistics,
                             .means = pairs});
}

struct GroupNorm::Plan : ImageNormPlan {
    using ImageNormPlan::ImageNormPlan;
};

GroupNorm::GroupNorm(Device& device, const GroupNormOptions& options)
    : plan_(std::make_unique<const Plan>("group_norm", device, options)) {}

GroupNorm::~GroupNorm() = default;
GroupNorm::GroupNorm(GroupNorm&&) noexcept = default;
GroupNorm& GroupNorm::operator=(GroupNorm&&) noexcept = default;

uint64_t GroupNorm::elements() const {
    return plan_->work.extent.elements();
}
uint64_t GroupNorm::sets() const {
    return plan_->sets();
}
VkDeviceSize GroupNorm::scratch_bytes() const {
    return plan_->scratch.bytes();
}
std::string GroupNorm::explain() const {
    return detail::explain(plan_->work) + explain_passes(*plan_->device, plan_->work, plan_->tensors) + "  " +
           std::to_string(sets()) + " sets of " + std::to_string(plan_->tensors.group) +
           " channels; scratch: " + std::to_string(scratch_bytes()) + " bytes\n";
}

void GroupNorm::forward(Recorder& recorder, const Forward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.set_bytes());
    check.output("inv_std", arguments.inv_std, plan.set_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = plan.partials.of(arguments.scratch);
    record(recorder, plan.work, plan.tensors, StatisticsPass{.x = arguments.x, .partials = partials});
    record(recorder, plan.work,
           FinalizePass{.from = partials_of_sets(plan.work, plan.tensors.group, partials),
                        .mean = arguments.mean,
                        .inv_std = arguments.inv_std,
                        .epsilon = plan.epsilon});
    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void GroupNorm::backward(Recorder& recorder, const Backward& arguments) const {
    plan_->backward(recorder, arguments);
}

}  // namespace vknorm
