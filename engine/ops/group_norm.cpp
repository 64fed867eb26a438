#include "vknorm/group_norm.hpp"

#include "ops/norm/arguments.hpp"
#include "ops/norm/groups.hpp"

namespace vknorm {

using namespace detail;

GroupNorm::GroupNorm(Device& device, const GroupNormOptions& options)
    : impl_("GroupNorm", std::make_shared<const GroupedNorm>("group_norm", device, options)) {}

uint64_t GroupNorm::elements() const {
    return impl_->plan().extent.elements();
}
uint64_t GroupNorm::sets() const {
    return impl_->plan().sets();
}
VkDeviceSize GroupNorm::scratch_bytes() const {
    return impl_->scratch.bytes();
}
std::string GroupNorm::explain() const {
    return impl_->norm.explain_fused() + "  " + std::to_string(sets()) + " sets of " +
           std::to_string(impl_->plan().group) + " channels; " + explain_scratch(scratch_bytes());
}

void GroupNorm::forward(Recorder& recorder, const Forward& arguments) const {
    const NormPasses& norm = impl_->norm;
    const NormPlan& plan = norm.plan();
    NormArguments check(recorder, norm, "forward");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.set_bytes());
    check.output("inv_std", arguments.inv_std, plan.set_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = impl_->partials.of(arguments.scratch);
    norm.forward(recorder, {.x = arguments.x, .partials = partials},
                 {.from = partials_of_sets(plan, partials),
                  .x = arguments.x,
                  .mean = arguments.mean,
                  .inv_std = arguments.inv_std,
                  .epsilon = impl_->epsilon},
                 {.x = arguments.x,
                  .y = arguments.y,
                  .affine = {arguments.gamma, arguments.beta},
                  .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void GroupNorm::backward(Recorder& recorder, const Backward& arguments) const {
    impl_->backward(recorder, arguments);
}

}  // namespace vknorm
