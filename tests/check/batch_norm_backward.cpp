// vknorm-check knows the backward passes of batch normalization so.
#include <stdexcept>

#include "check/batch_norm.hpp"
#include "check/norm_arguments.hpp"

namespace vknorm::check {

namespace {

/// Tells whether the call has what a forward pass would save.
bool has_saved(const Call& call) {
    if (call.has("mean") != call.has("inv_std"))
        throw std::invalid_argument("batch_norm " + call.mode->name +
                                    ": mean, inv_std: got one of them, needs both or neither");
    if (!call.has("mean")) return false;
    for (const auto& [tensor, needed] :
         {std::pair("relu_mask", relu_of(call) == Relu::mask), std::pair("y", relu_of(call) == Relu::output),
          std::pair("count", call.has("valid"))})
        if (needed && !call.has(tensor))
            throw std::invalid_argument("batch_norm " + call.mode->name + ": " + tensor +
                                        ": got nothing, needs what forward gave, as mean and inv_std are");
    return true;
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

void run_batch_norm_backward(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    const NormArguments arguments(call, workspace, op.scratch_bytes());
    if (!has_saved(call)) op.forward_training(workspace.recorder(), arguments);
    op.backward(workspace.recorder(), arguments);
}

Expectations expect_batch_norm_backward(const Call& call) {
    Expectations result;
    reference::BatchNormData data = batch_norm_data(call);
    if (has_saved(call)) {
        const SavedValues saved = values_of(call);
        expect_gradients(call, result, reference::expected_backward(data, saved.mean, saved.inv_std));
    } else {
        data.relu_mask.clear();  // no forward pass gave it
        data.output.clear();
        expect_gradients(call, result, reference::expected_backward(data));
    }
    return result;
}

void run_batch_norm_frozen(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    const NormArguments arguments(call, workspace, op.scratch_bytes());
    if ((relu_of(call) == Relu::mask && !call.has("relu_mask")) ||
        (relu_of(call) == Relu::output && !call.has("y")))
        op.forward_inference(workspace.recorder(), arguments);
    op.backward_frozen(workspace.recorder(), arguments);
}

Expectations expect_batch_norm_frozen(const Call& call) {
    Expectations result;
    expect_gradients(call, result, reference::expected_backward_frozen(batch_norm_data(call)));
    return result;
}

void run_double_backward(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), batch_norm_options(call));
    const NormArguments arguments(call, workspace, op.scratch_bytes());
    if (!has_saved(call)) op.forward_training(workspace.recorder(), arguments);
    BatchNorm::DoubleBackward double_backward = arguments;
    double_backward.ddx = workspace.in("ddx");
    double_backward.ddgamma = workspace.in("ddgamma");
    double_backward.ddbeta = workspace.in("ddbeta");
    double_backward.grad_dy = workspace.out("grad_dy");
    double_backward.grad_x = workspace.out("grad_x");
    double_backward.grad_gamma = workspace.out("grad_gamma");
    op.double_backward(workspace.recorder(), double_backward);
}

Expectations expect_double_backward(const Call& call) {
    const reference::BatchNormData data = batch_norm_data(call);
    if (!has_saved(call)) return reference::expected_double_backward(data);
    const SavedValues saved = values_of(call);
    return reference::expected_double_backward(data, saved.mean, saved.inv_std);
}

}  // namespace vknorm::check
