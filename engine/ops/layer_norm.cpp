#include "vknorm/layer_norm.hpp"

#include "ops/norm/rows.hpp"

namespace vknorm {

using namespace detail;

struct LayerNorm::Plan : RowNormPlan {
    using RowNormPlan::RowNormPlan;
};

LayerNorm::LayerNorm(Device& device, const LayerNormOptions& options)
    : plan_(std::make_unique<const Plan>("layer_norm", device, options)) {}

LayerNorm::~LayerNorm() = default;
LayerNorm::LayerNorm(LayerNorm&&) noexcept = default;
LayerNorm& LayerNorm::operator=(LayerNorm&&) noexcept = default;

uint64_t LayerNorm::rows() const {
    return plan_->row_count();
}
uint64_t LayerNorm::row_length() const {
    return plan_->row_length();
}
VkDeviceSize LayerNorm::scratch_bytes() const {
    return plan_->scratch.bytes();
}
std::string LayerNorm::explain() const {
    return plan_->explain();
}

void LayerNorm::forward(Recorder& recorder, const Forward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.rows, "forward");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.parameter_bytes());
    check.optional_input("beta", arguments.beta, plan.parameter_bytes());
    check.output("mean", arguments.mean, 2 * plan.row_bytes());
    check.output("inv_std", arguments.inv_std, plan.row_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    plan.forward(recorder, shaders::norm_of_batch,
                 {.x = arguments.x,
                  .y = arguments.y,
                  .gamma = arguments.gamma,
                  .beta = arguments.beta,
                  .mean = arguments.mean,
                  .deviation = arguments.inv_std,
                  .scratch = arguments.scratch});
}

void LayerNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.rows, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.input("mean", arguments.mean, 2 * plan.row_bytes());
    check.input("inv_std", arguments.inv_std, plan.row_bytes());
    check.optional_input("gamma", arguments.gamma, plan.parameter_bytes());
    check.optional_output("dgamma", arguments.dgamma, plan.parameter_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.parameter_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    plan.backward(recorder, shaders::norm_of_batch,
                  {.x = arguments.x,
                   .dy = arguments.dy,
                   .dx = arguments.dx,
                   .gamma = arguments.gamma,
                   .dgamma = arguments.dgamma,
                   .dbeta = arguments.dbeta,
                   .mean = arguments.mean,
                   .deviation = arguments.inv_std,
                   .accumulate = arguments.accumulate,
                   .scratch = arguments.scratch});
}

}  // namespace vknorm
