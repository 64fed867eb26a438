// vknorm-check knows batch renormalization so.
#include <vknorm/batch_renorm.hpp>

#include "check/norm_arguments.hpp"

namespace vknorm::check {

namespace {

const Option moving_option{"moving",
                           {"deviation", "variance"},
                           "What moving_deviation is: the standard deviation, or the variance without eps"};
const Option r_max_option{"r-max", {}, "How far the batch's deviation may be off (3 if not given)"};
const Option d_max_option{"d-max", {}, "How far the batch's mean may be off (5 if not given)"};

BatchRenormOptions options_of(const Call& call) {
    const BatchRenormOptions defaults;
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .momentum = call.settings.number("momentum", defaults.momentum),
            .epsilon = call.settings.number("eps", defaults.epsilon),
            .moving = static_cast<MovingDeviation>(call.settings.word(moving_option, 0)),
            .storage = storage_of(call.settings),
            .guard = has_guard(call)};
}

RenormLimits limits_of(const Call& call) {
    const RenormLimits defaults;
    return {call.settings.number(r_max_option.name, defaults.r_max),
            call.settings.number(d_max_option.name, defaults.d_max)};
}

reference::RenormData data_of(const Call& call) {
    reference::RenormData data;
    read(call, data);
    data.moving_mean = call.floats("moving_mean");
    data.moving_deviation = call.floats("moving_deviation");
    data.limits = limits_of(call);
    return data;
}

void run_training(const Call& call, Workspace& workspace) {
    const BatchRenorm op(workspace.device(), options_of(call));
    const NormArguments arguments(call, workspace, op.scratch_bytes());
    BatchRenorm::ForwardTraining forward = arguments;
    forward.limits = limits_of(call);
    op.forward_training(workspace.recorder(), forward);
    if (call.has("dy")) op.backward(workspace.recorder(), arguments);
}

Expectations expect_renorm_training(const Call& call) {
    const reference::RenormData data = data_of(call);
    const BatchRenormOptions options = options_of(call);
    return expect_training(call, reference::expected_forward_training(data, options),
                           [&] { return reference::expected_backward(data, options); });
}

void run_inference(const Call& call, Workspace& workspace) {
    BatchRenorm(workspace.device(), options_of(call))
        .forward_inference(workspace.recorder(), NormArguments(call, workspace));
}

Expectations expect_inference(const Call& call) {
    return reference::expected_forward_inference(data_of(call), options_of(call));
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("batch_renorm", x);
    if (tensor == "mean") return {2, channels_of(x, settings)};
    return family_shape(tensor, x, settings);
}

}  // namespace

Operation batch_renorm() {
    return {
        .name = "batch_renorm",
        .help = "batch renormalization; training runs its backward too when there is a dy",
        .tensors = with(with(family_tensors("(C)", "C"), counter_tensors()),
                        {{.name = "moving_mean", .fill = Fill::x, .help = "(C)"},
                         {.name = "moving_deviation", .fill = Fill::deviation, .help = "(C)"},
                         {.name = "r", .help = "(C): what the normalized values are multiplied by"},
                         {.name = "d", .help = "(C): what is added to them then"}}),
        .options = {eps_option, momentum_option, layout_option, storage_option, guard_option, moving_option,
                    r_max_option, d_max_option},
        .modes = {{.name = "training",
                   .needs = {"x", "moving_mean", "moving_deviation"},
                   .takes = {"gamma", "beta", "num_batches_tracked", "dy"},
                   .adds = {"dgamma", "dbeta", "num_batches_refused"},
                   .gives = {"y", "mean", "inv_std", "r", "d", "moving_mean", "moving_deviation",
                             "num_batches_tracked", "num_batches_refused", "dx", "dgamma", "dbeta"},
                   .run = run_training,
                   .expect = expect_renorm_training},
                  {.name = "inference",
                   .needs = {"x", "moving_mean", "moving_deviation"},
                   .takes = {"gamma", "beta"},
                   .gives = {"y"},
                   .run = run_inference,
                   .expect = expect_inference}},
        .shape_of = shape_of,
    };
}

}  // namespace vknorm::check
