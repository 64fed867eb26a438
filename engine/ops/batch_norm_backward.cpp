// The backward passes of batch normalization.
#include "ops/batch_norm_plan.hpp"

namespace vknorm {

using namespace detail;

namespace {

/// What a ReLU let through after a residual was added cannot be told from x.
void check_residual_gate(const Arguments& check, const auto& arguments) {
    if (arguments.relu && !arguments.relu_mask && arguments.dresidual)
        check.refuse("relu_mask", "no buffer", "that of forward, with dresidual");
}

}  // namespace

void BatchNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * plan.channel_bytes());
    check.input("inv_std", arguments.inv_std, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    if (arguments.relu_mask) plan.check_mask(check);
    check.optional_input("relu_mask", arguments.relu_mask, plan.work.mask_bytes());
    check_residual_gate(check, arguments);
    if (arguments.dresidual) check.output_tensor("dresidual", arguments.dresidual);
    check.optional_input("valid", arguments.valid, plan.valid_bytes());
    if (arguments.valid) check.input("count", arguments.count, sizeof(uint32_t));
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const bool recomputes = arguments.relu && !arguments.relu_mask;
    const Affine affine{arguments.gamma, arguments.beta};
    const Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const Extras extras{arguments.relu, arguments.relu_mask, arguments.valid};
    const BufferView partials = plan.partials.of(arguments.scratch), means = plan.means.of(arguments.scratch);
    const bool needs_x = arguments.dx || arguments.dgamma || recomputes;
    const BackwardSumsPass sums{.x = needs_x ? arguments.x : BufferView{},
                                .dy = arguments.dy,
                                .affine = recomputes ? affine : Affine{},
                                .statistics = statistics,
                                .extras = extras,
                                .partials = partials};
    const BackwardFinalizePass finalize{
        .from = partials_of_sets(plan.work, 1, partials),
        .dgamma = arguments.dgamma,
        .dbeta = arguments.dbeta,
        .accumulate = arguments.accumulate,
        .means = arguments.dx ? means : BufferView{},
        .values = {.known = plan.values(), .count = arguments.valid ? arguments.count : BufferView{}}};
    const BackwardApplyPass apply{.x = arguments.x,
                                  .dy = arguments.dy,
                                  .dx = arguments.dx,
                                  .dresidual = arguments.dresidual,
                                  .affine = affine,
                                  .statistics = statistics,
                                  .extras = extras,
                                  .means = means};
    if (arguments.dx) {
        record(recorder, plan.work, plan.tensors, sums, finalize, apply);
        return;
    }
    if (arguments.dgamma || arguments.dbeta) {
        record(recorder, plan.work, plan.tensors, sums);
        record(recorder, plan.work, finalize);
    }
    if (arguments.dresidual) record(recorder, plan.work, plan.tensors, apply);
}

void BatchNorm::backward_frozen(Recorder& recorder, const BackwardFrozen& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "backward_frozen");
    const bool recomputes = arguments.relu && !arguments.relu_mask;
    if (arguments.x || arguments.dgamma || recomputes) check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("running_mean", arguments.running_mean, plan.channel_bytes());
    check.input("running_var", arguments.running_var, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    if (arguments.relu_mask) plan.check_mask(check);
    check.optional_input("relu_mask", arguments.relu_mask, plan.work.mask_bytes());
    check_residual_gate(check, arguments);
    if (arguments.dresidual) check.output_tensor("dresidual", arguments.dresidual);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const Affine affine{arguments.gamma, arguments.beta};
    const Statistics statistics = plan.frozen(arguments.running_mean, arguments.running_var);
    const Extras extras{arguments.relu, arguments.relu_mask, {}};
    if (arguments.dgamma || arguments.dbeta) {
        const BufferView partials = plan.partials.of(arguments.scratch);
        record(recorder, plan.work, plan.tensors,
               BackwardSumsPass{.x = arguments.dgamma || recomputes ? arguments.x : BufferView{},
                                .dy = arguments.dy,
                                .affine = recomputes ? affine : Affine{},
                                .statistics = statistics,
                                .extras = extras,
                                .partials = partials});
        record(recorder, plan.work,
               BackwardFinalizePass{.from = partials_of_sets(plan.work, 1, partials),
                                    .dgamma = arguments.dgamma,
                                    .dbeta = arguments.dbeta,
                                    .accumulate = arguments.accumulate});
    }
    if (arguments.dx || arguments.dresidual) {
        record(recorder, plan.work, plan.tensors,
               BackwardApplyPass{.x = recomputes ? arguments.x : BufferView{},
                                 .dy = arguments.dy,
                                 .dx = arguments.dx,
                                 .dresidual = arguments.dresidual,
                                 .affine = affine,
                                 .statistics = statistics,
                                 .extras = extras});
    }
}

}  // namespace vknorm
