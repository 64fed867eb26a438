// Instance normalization as vknorm-check knows it.
#include <vknorm/instance_norm.hpp>

#include "check/family.hpp"
#include "reference/batch_norm_expected.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::check {

namespace {

InstanceNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .convention = convention_of(call.settings),
            .storage = storage_of(call.settings)};
}

reference::RunningData data_of(const Call& call) {
    reference::RunningData data;
    read(call, data);
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    data.batches = batches_of(call);
    return data;
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
    const InstanceNorm op(workspace.device(), options_of(call));
    const BufferView x = workspace.in("x"), gamma = workspace.in("gamma");
    const BufferView mean = workspace.out("mean"), inv_std = workspace.out("inv_std");
    const BufferView scratch = workspace.scratch(op.scratch_bytes());
    op.forward_training(workspace.recorder(), {.x = x,
                                               .y = workspace.out("y"),
                                               .gamma = gamma,
                                               .beta = workspace.in("beta"),
                                               .mean = mean,
                                               .inv_std = inv_std,
                                               .running_mean = workspace.in_out("running_mean"),
                                               .running_var = workspace.in_out("running_var"),
                                               .num_batches_tracked = workspace.in_out("num_batches_tracked"),
                                               .scratch = scratch});
    if (!call.has("dy")) return;
    op.backward(workspace.recorder(), {.x = x,
                                       .dy = workspace.in("dy"),
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .gamma = gamma,
                                       .dx = workspace.out("dx"),
                                       .dgamma = parameter_gradient(call, workspace, "dgamma"),
                                       .dbeta = parameter_gradient(call, workspace, "dbeta"),
                                       .accumulate = accumulates(call),
                                       .scratch = scratch});
}

Expectations expect_training(const Call& call) {
    const reference::RunningData data = data_of(call);
    Expectations result = reference::expected_forward(data, options_of(call));
    expect_counted(call, result);
    if (call.has("dy")) expect_gradients(call, result, reference::expected_backward(data, options_of(call)));
    return result;
}

void run_inference(const Call& call, Workspace& workspace) {
    const InstanceNorm op(workspace.device(), options_of(call));
    op.forward_inference(workspace.recorder(), {.x = workspace.in("x"),
                                                .y = workspace.out("y"),
                                                .gamma = workspace.in("gamma"),
                                                .beta = workspace.in("beta"),
                                                .running_mean = workspace.in("running_mean"),
                                                .running_var = workspace.in("running_var")});
}

Expectations expect_inference(const Call& call) {
    return reference::expected_forward_inference(frozen_data(call));
}

void run_frozen(const Call& call, Workspace& workspace) {
    const InstanceNorm op(workspace.device(), options_of(call));
    op.backward_frozen(workspace.recorder(), {.x = workspace.in("x"),
                                              .dy = workspace.in("dy"),
                                              .running_mean = workspace.in("running_mean"),
                                              .running_var = workspace.in("running_var"),
                                              .gamma = workspace.in("gamma"),
                                              .dx = workspace.out("dx"),
                                              .dgamma = parameter_gradient(call, workspace, "dgamma"),
                                              .dbeta = parameter_gradient(call, workspace, "dbeta"),
                                              .accumulate = accumulates(call),
                                              .scratch = workspace.scratch(op.scratch_bytes())});
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
        .options = with(convention_options(), {layout_option, storage_option}),
        .modes = {{.name = "training",
                   .needs = {"x"},
                   .takes = {"gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dy"},
                   .adds = {"dgamma", "dbeta"},
                   .gives = {"y", "mean", "inv_std", "running_mean", "running_var", "num_batches_tracked",
                             "dx", "dgamma", "dbeta"},
                   .run = run_training,
                   .expect = expect_training},
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
