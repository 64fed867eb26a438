// Ghost batch normalization as vknorm-check knows it.
#include <vknorm/ghost_batch_norm.hpp>

#include "check/family.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::check {

namespace {

const Option ghost_size_option{"ghost-size", {}, "Images of a ghost batch (32 if not given)", true};

uint32_t ghost_size(const Settings& settings) {
    return settings.whole(ghost_size_option.name, GhostBatchNormOptions{}.ghost_size);
}

uint64_t ghosts(const TensorShape& x, const Settings& settings) {
    return x[0] / ghost_size(settings) + (x[0] % ghost_size(settings) != 0);
}

GhostBatchNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .ghost_size = ghost_size(call.settings),
            .convention = convention_of(call.settings),
            .single_value = single_value_of(call.settings),
            .storage = storage_of(call.settings)};
}

void run(const Call& call, Workspace& workspace) {
    const GhostBatchNorm op(workspace.device(), options_of(call));
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

Expectations expect(const Call& call) {
    reference::RunningData data;
    read(call, data);
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    data.batches = batches_of(call);
    Expectations result = reference::expected_forward(data, options_of(call));
    expect_counted(call, result, static_cast<int64_t>(ghosts(call.shape(), call.settings)));
    if (call.has("dy")) expect_gradients(call, result, reference::expected_backward(data, options_of(call)));
    return result;
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("ghost_batch_norm", x);
    const uint64_t channels = channels_of(x, settings);
    if (tensor == "mean") return {ghosts(x, settings), 2, channels};
    if (tensor == "inv_std") return {ghosts(x, settings), channels};
    return family_shape(tensor, x, settings);
}

}  // namespace

Operation ghost_batch_norm() {
    std::vector<TensorKind> tensors = family_tensors("(C)", "ghosts, C");
    for (TensorKind& tensor : tensors)
        if (tensor.name == "mean") tensor.help = "(ghosts, 2, C): then what rounding it to float32 lost";
    return {
        .name = "ghost_batch_norm",
        .help = "batch normalization of parts of a batch; runs backward too when there is a dy",
        .tensors = with(std::move(tensors), running_tensors()),
        .options = with(convention_options(),
                        {layout_option, single_value_option, storage_option, ghost_size_option}),
        .modes = {{.name = "training",
                   .needs = {"x"},
                   .takes = {"gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dy"},
                   .adds = {"dgamma", "dbeta"},
                   .gives = {"y", "mean", "inv_std", "running_mean", "running_var", "num_batches_tracked",
                             "dx", "dgamma", "dbeta"},
                   .run = run,
                   .expect = expect}},
        .shape_of = shape_of,
    };
}

}  // namespace vknorm::check
