// The arguments of every pass of every norm come from the tensors of a call by their names: what is the same
// in two norms has the same name in both.
#pragma once

#include "check/family.hpp"

namespace vknorm::check {

/// It converts to the arguments of any pass: each member that it has is taken from the workspace by its name.
class NormArguments {
  public:
    NormArguments(const Call& call, Workspace& workspace, VkDeviceSize scratch_bytes = 0)
        : call_(call), workspace_(workspace), scratch_(workspace.scratch(scratch_bytes)) {}

    template <class Pass>
    operator Pass() const {
        Pass pass;
        pass.x = workspace_.in("x");
        pass.gamma = workspace_.in("gamma");
        if constexpr (requires { pass.beta; }) pass.beta = workspace_.in("beta");
        take_statistics(pass);
        if constexpr (requires { pass.dy; }) pass.dy = workspace_.in("dy");
        if constexpr (requires { pass.dx; }) pass.dx = workspace_.out("dx");
        if constexpr (requires { pass.dgamma; })
            pass.dgamma = parameter_gradient(call_, workspace_, "dgamma");
        if constexpr (requires { pass.dbeta; }) pass.dbeta = parameter_gradient(call_, workspace_, "dbeta");
        if constexpr (requires { pass.accumulate; }) pass.accumulate = accumulates(call_);
        take_fusions(pass);
        if constexpr (requires { pass.scratch; }) pass.scratch = scratch_;
        return pass;
    }

  private:
    /// A forward pass writes the statistics of the batch and the backward pass after it reads them. A pass
    /// that has them updates running statistics; a pass without reads those.
    template <class Pass>
    void take_statistics(Pass& pass) const {
        const auto running = [&](const char* name) {
            if constexpr (requires { pass.mean; })
                return workspace_.in_out(name);
            else
                return workspace_.in(name);
        };
        if constexpr (requires { pass.mean; }) pass.mean = workspace_.saved("mean");
        if constexpr (requires { pass.inv_std; }) pass.inv_std = workspace_.saved("inv_std");
        if constexpr (requires { pass.inv_rms; }) pass.inv_rms = workspace_.saved("inv_rms");
        if constexpr (requires { pass.r; }) pass.r = workspace_.saved("r");
        if constexpr (requires { pass.d; }) pass.d = workspace_.saved("d");
        if constexpr (requires { pass.running_mean; }) pass.running_mean = running("running_mean");
        if constexpr (requires { pass.running_var; }) pass.running_var = running("running_var");
        if constexpr (requires { pass.moving_mean; }) pass.moving_mean = running("moving_mean");
        if constexpr (requires { pass.moving_deviation; })
            pass.moving_deviation = running("moving_deviation");
        if constexpr (requires { pass.num_batches_tracked; })
            pass.num_batches_tracked = workspace_.in_out("num_batches_tracked");
        if constexpr (requires { pass.num_batches_refused; })
            pass.num_batches_refused = workspace_.in_out("num_batches_refused");
    }

    /// Batch normalization does these on the way.
    template <class Pass>
    void take_fusions(Pass& pass) const {
        const auto saved_if = [&](bool wanted, const char* name) {
            return wanted ? workspace_.saved(name) : BufferView{};
        };
        // A backward pass reads it, if at all, for the ReLU.
        if constexpr (requires {
                          pass.y;
                          pass.dy;
                      })
            pass.y = saved_if(relu_of(call_) == Relu::output, "y");
        else if constexpr (requires { pass.y; })
            pass.y = workspace_.saved("y");
        if constexpr (requires { pass.residual; }) pass.residual = workspace_.in("residual");
        if constexpr (requires { pass.dresidual; })
            pass.dresidual = saved_if(call_.has("residual"), "dresidual");
        if constexpr (requires { pass.relu; }) pass.relu = relu_of(call_) != Relu::none;
        if constexpr (requires { pass.relu_mask; })
            pass.relu_mask = saved_if(relu_of(call_) == Relu::mask, "relu_mask");
        if constexpr (requires { pass.valid; }) pass.valid = workspace_.in("valid");
        if constexpr (requires { pass.count; }) pass.count = saved_if(call_.has("valid"), "count");
        if constexpr (requires { pass.health; }) pass.health = saved_if(wants_health(call_), "health");
    }

    const Call& call_;
    Workspace& workspace_;
    BufferView scratch_;
};

/// Records the forward pass, by statistics of the batch where it has two, and backward when there is a dy.
template <class Norm>
void record_training(const Norm& norm, const Call& call, Workspace& workspace) {
    const NormArguments arguments(call, workspace, norm.scratch_bytes());
    if constexpr (requires { norm.forward(workspace.recorder(), arguments); })
        norm.forward(workspace.recorder(), arguments);
    else
        norm.forward_training(workspace.recorder(), arguments);
    if (call.has("dy")) norm.backward(workspace.recorder(), arguments);
}

}  // namespace vknorm::check
