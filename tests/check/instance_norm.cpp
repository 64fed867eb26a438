// vknorm-check knows instance normalization so.
#include <vknorm/instance_norm.hpp>

#include "check/norm_arguments.hpp"
#include "reference/batch_norm_expected.hpp"

namespace vknorm::check {

namespace {

InstanceNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .convention = convention_of(call.settings),
            .storage = storage_of(call.settings),
            .guard = has_guard(call)};
}

/// With running statistics it is batch normalization.
reference::BatchNormData frozen_data(const Call& call) {
    reference::BatchNormData data;
    read(call, data);
    const InstanceNormOptions options = options_of(call);
    data.options = {.shape = options.shape,
                    .layout = options.layout,
                    .convention = options.convention,
                    .storage = options.storage};
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    return data;
}

void run_training(const Call& call, Workspace& workspace) {
    record_training(InstanceNorm(workspace.device(), options_of(call)), call, workspace);
}

Expectations expect_instance_training(const Call& call) {
    const reference::RunningData data = running_data(call);
    const InstanceNormOptions options = options_of(call);
    return expect_training(call, reference::expected_forward(data, options),
                           [&] { return reference::expected_backward(data, options); });
}

void run_inference(const Call& call, Workspace& workspace) {
    InstanceNorm(workspace.device(), options_of(call))
        .forward_inference(workspace.recorder(), NormArguments(call, workspace));
}

Expectations expect_inference(const Call& call) {
    return reference::expected_forward_inference(frozen_data(call));
}

void run_frozen(const Call& call, Workspace& workspace) {
    const InstanceNorm op(workspace.device(), options_of(call));
    op.backward_frozen(workspace.recorder(), NormArguments(call, workspace, op.scratch_bytes()));
}

Expectations expect_frozen(const Call& call) {
    Expectations result;
    expect_gradients(call, result, reference::expected_backward_frozen(frozen_data(call)));
    return result;
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("instance_norm", x, 3);
    const uint64_t channels = channels_of(x, settings);
    if (tensor == "mean") return {2, x[0], channels};
    if (tensor == "inv_std") return {x[0], channels};
    return family_shape(tensor, x, settings);
}

std::string from_onnx(const std::map<std::string, double>& attributes, HostTensors&, HostTensors&) {
    return "--mode training --eps " + number_text(onnx_attribute(attributes, "epsilon", 1e-5));
}

}  // namespace

Operation instance_norm() {
    return {
        .name = "instance_norm",
        .help = "instance normalization; training runs its backward too when there is a dy",
        .tensors = with(family_tensors("(C)", "N, C"), running_tensors()),
        .options = with(convention_options(), {layout_option, storage_option, guard_option}),
        .modes = {training_mode(run_training, expect_instance_training),
                  {.name = "inference",
                   .needs = {"x", "running_mean", "running_var"},
                   .takes = {"gamma", "beta"},
                   .gives = {"y"},
                   .run = run_inference,
                   .expect = expect_inference},
                  {.name = "backward_frozen",
                   .needs = {"x", "dy", "running_mean", "running_var"},
                   .takes = {"gamma"},
                   .adds = {"dgamma", "dbeta"},
                   .gives = {"dx", "dgamma", "dbeta"},
                   .run = run_frozen,
                   .expect = expect_frozen}},
        .shape_of = shape_of,
        .onnx = {{.op = "InstanceNormalization",
                  .inputs = {"x", "gamma", "beta"},
                  .outputs = {"y"},
                  .translate = from_onnx}},
    };
}

}  // namespace vknorm::check
