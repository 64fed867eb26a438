// The backward passes of batch normalization as vknorm-check knows them.
#include <stdexcept>

#include "check/batch_norm.hpp"

namespace vknorm::check {

namespace {

/// Whether the call has what a forward pass would save.
bool has_saved(const Call& call) {
    if (call.has("mean") != call.has("inv_std"))
        throw std::invalid_argument("batch_norm " + call.mode->name +
                                    ": mean, inv_std: got one of them, needs both or neither");
    if (!call.has("mean")) return false;
    for (const auto& [tensor, needed] :
         {std::pair("relu_mask", relu_of(call) == Relu::mask), std::pair("count", call.has("valid"))})
        if (needed && !call.has(tensor))
            throw std::invalid_argument("batch_norm " + call.mode->name + ": " + tensor +
                                        ": got nothing, needs what forward gave, as mean and inv_std are");
    return true;
}

/// Those given, or else those that a forward pass of its own leaves.
Saved saved_of(const BatchNorm& op, const Call& call, Workspace& workspace) {
    const BufferView scratch = workspace.scratch(op.scratch_bytes());
    const bool masked = relu_of(call) == Relu::mask;
    if (has_saved(call))
        return {workspace.in("mean"), workspace.in("inv_std"),
                masked ? workspace.in("relu_mask") : BufferView{},
                call.has("valid") ? workspace.in("count") : BufferView{}, scratch};
    const Saved saved{workspace.scratch(2 * op.channels() * sizeof(float)),
                      workspace.scratch(op.channels() * sizeof(float)),
                      masked ? workspace.scratch(op.relu_mask_bytes()) : BufferView{},
                      call.has("valid") ? workspace.scratch(sizeof(uint32_t)) : BufferView{}, scratch};
    op.forward_training(workspace.recorder(), {.x = workspace.in("x"),
                                               .y = workspace.scratch(workspace.in("x").bytes),
                                               .gamma = workspace.in("gamma"),
                                               .beta = workspace.in("beta"),
                                               .mean = saved.mean,
                                               .inv_std = saved.inv_std,
                                               .residual = workspace.in("residual"),
                                               .relu = relu_of(call) != Relu::none,
                                               .relu_mask = saved.relu_mask,
                                               .valid = workspace.in("valid"),
                                               .count = saved.count,
                                               .scratch = scratch});
    return saved;
}

struct SavedValues {
    reference::Values mean, inv_std;
};
SavedValues values_of(const Call& call) {
    const std::vector<float> pair = call.floats("mean"), inv_std = call.floats("inv_std");
    SavedValues result{reference::Values(inv_std.size()), {inv_std.begin(), inv_std.end()}};
    for (size_t c = 0; c < inv_std.size(); ++c) result.mean[c] = double{pair[c]} + pair[inv_std.size() + c];
    return result;
}

}  // namespace

void record_backward(const BatchNorm& op, const Call& call, Workspace& workspace, const Saved& saved) {
    op.backward(workspace.recorder(),
                {.x = workspace.in("x"),
                 .dy = workspace.in("dy"),
                 .mean = saved.mean,
                 .inv_std = saved.inv_std,
                 .gamma = workspace.in("gamma"),
                 .dx = workspace.out("dx"),
                 .dgamma = parameter_gradient(call, workspace, "dgamma"),
                 .dbeta = parameter_gradient(call, workspace, "dbeta"),
                 .accumulate = accumulates(call),
                 .relu = relu_of(call) != Relu::none,
                 .relu_mask = saved.relu_mask,
                 .beta = workspace.in("beta"),
                 .dresidual = call.has("residual") ? workspace.out("dresidual") : BufferView{},
                 .valid = workspace.in("valid"),
                 .count = saved.count,
                 .scratch = saved.scratch});
}

void run_batch_norm_backward(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    record_backward(op, call, workspace, saved_of(op, call, workspace));
}

Expectations expect_batch_norm_backward(const Call& call) {
    Expectations result;
    reference::BatchNormData data = batch_norm_data(call);
    if (has_saved(call)) {
        const SavedValues saved = values_of(call);
        expect_gradients(call, result, reference::expected_backward(data, saved.mean, saved.inv_std));
    } else {
        data.relu_mask.clear();  // that of no forward pass
        expect_gradients(call, result, reference::expected_backward(data));
    }
    return result;
}

void run_batch_norm_frozen(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    const bool masked = relu_of(call) == Relu::mask;
    BufferView mask = masked ? workspace.in("relu_mask") : BufferView{};
    if (masked && !mask) {
        mask = workspace.scratch(op.relu_mask_bytes());
        op.forward_inference(workspace.recorder(), {.x = workspace.in("x"),
                                                    .y = workspace.scratch(workspace.in("x").bytes),
                                                    .gamma = workspace.in("gamma"),
                                                    .beta = workspace.in("beta"),
                                                    .running_mean = workspace.in("running_mean"),
                                                    .running_var = workspace.in("running_var"),
                                                    .residual = workspace.in("residual"),
                                                    .relu = true,
                                                    .relu_mask = mask});
    }
    op.backward_frozen(workspace.recorder(),
                       {.x = workspace.in("x"),
                        .dy = workspace.in("dy"),
                        .running_mean = workspace.in("running_mean"),
                        .running_var = workspace.in("running_var"),
                        .gamma = workspace.in("gamma"),
                        .dx = workspace.out("dx"),
                        .dgamma = parameter_gradient(call, workspace, "dgamma"),
                        .dbeta = parameter_gradient(call, workspace, "dbeta"),
                        .accumulate = accumulates(call),
                        .relu = relu_of(call) != Relu::none,
                        .relu_mask = mask,
                        .beta = workspace.in("beta"),
                        .dresidual = call.has("residual") ? workspace.out("dresidual") : BufferView{},
                        .scratch = workspace.scratch(op.scratch_bytes())});
}

Expectations expect_batch_norm_frozen(const Call& call) {
    Expectations result;
    expect_gradients(call, result, reference::expected_backward_frozen(batch_norm_data(call)));
    return result;
}

void run_double_backward(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    const Saved saved = saved_of(op, call, workspace);
    op.double_backward(workspace.recorder(), {.x = workspace.in("x"),
                                              .dy = workspace.in("dy"),
                                              .mean = saved.mean,
                                              .inv_std = saved.inv_std,
                                              .gamma = workspace.in("gamma"),
                                              .ddx = workspace.in("ddx"),
                                              .ddgamma = workspace.in("ddgamma"),
                                              .ddbeta = workspace.in("ddbeta"),
                                              .grad_dy = workspace.out("grad_dy"),
                                              .grad_x = workspace.out("grad_x"),
                                              .grad_gamma = workspace.out("grad_gamma"),
                                              .scratch = saved.scratch});
}

Expectations expect_double_backward(const Call& call) {
    const reference::BatchNormData data = batch_norm_data(call);
    if (!has_saved(call)) return reference::expected_double_backward(data);
    const SavedValues saved = values_of(call);
    return reference::expected_double_backward(data, saved.mean, saved.inv_std);
}

}  // namespace vknorm::check
