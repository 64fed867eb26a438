#include "ops/norm/groups.hpp"

#include <algorithm>

#include "ops/norm/arguments.hpp"
#include "ops/norm/options.hpp"

namespace vknorm::detail {

namespace {

NormPlan plan_groups(const std::string& operation, const Device& device, const GroupNormOptions& options) {
    check_epsilon(operation, options.epsilon);
    const Extent extent = image_extent(operation, options.shape, options.layout);
    if (options.groups == 0 || extent.channels % options.groups != 0)
        refuse(operation, "groups", std::to_string(options.groups),
               "a divisor of the " + std::to_string(extent.channels) + " channels");
    return plan_norm(operation, extent, options.storage, limits_of(device),
                     static_cast<uint32_t>(extent.channels / options.groups));
}

}  // namespace

GroupedNorm::GroupedNorm(const std::string& operation, Device& device, const GroupNormOptions& options)
    : norm(device, plan_groups(operation, device, options)),
      epsilon(options.epsilon),
      partials(scratch.add(plan().partial_bytes())),
      means(scratch.add(2 * plan().set_bytes())) {}

void GroupedNorm::backward(Recorder& recorder, const GroupNorm::Backward& arguments) const {
    NormArguments check(recorder, norm, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.input("mean", arguments.mean, 2 * plan().set_bytes());
    check.input("inv_std", arguments.inv_std, plan().set_bytes());
    check.optional_input("gamma", arguments.gamma, plan().channel_bytes());
    check.optional_output("dgamma", arguments.dgamma, plan().channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan().channel_bytes());
    check.output("scratch", arguments.scratch, scratch.bytes());
    check.check_overlap();
    if (!arguments.dx && !arguments.dgamma && !arguments.dbeta) return;

    const StatisticsView statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const BufferView sums = partials.of(arguments.scratch), pairs = means.of(arguments.scratch);
    norm.backward_sums(recorder, {.x = arguments.dx || arguments.dgamma ? arguments.x : BufferView{},
                                  .dy = arguments.dy,
                                  .statistics = statistics,
                                  .partials = sums});
    if (arguments.dgamma || arguments.dbeta) {
        const uint64_t most = samples_of_a_merge(plan()), samples = plan().extent.samples;
        for (uint64_t sample = 0; sample == 0 || sample < samples; sample += most) {
            norm.backward_finalize(recorder, {.from = partials_of_channels(plan(), sums, sample,
                                                                           std::min(most, samples - sample)),
                                              .dgamma = arguments.dgamma,
                                              .dbeta = arguments.dbeta,
                                              .accumulate = arguments.accumulate || sample > 0});
        }
    }
    if (!arguments.dx) return;
    // What all values of a set share may as well be applied to their means.
    const bool weighted = arguments.gamma && plan().group > 1;
    norm.backward_finalize(recorder, {.from = partials_of_sets(plan(), sums),
                                      .means = pairs,
                                      .values = {.known = plan().extent.values_per_channel() * plan().group},
                                      .weights = weighted ? arguments.gamma : BufferView{},
                                      .weight_sets = plan().sets_of_a_sample()});
    norm.backward_apply(recorder, {.x = arguments.x,
                                   .dy = arguments.dy,
                                   .dx = arguments.dx,
                                   .affine = {.gamma = arguments.gamma},
                                   .weighted = weighted,
                                   .statistics = statistics,
                                   .means = pairs});
}

}  // namespace vknorm::detail
