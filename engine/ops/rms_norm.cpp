#include "ops/norm/rows.hpp"

namespace vknorm {

using namespace detail;

struct RmsNorm::Plan : RowNormPlan {
    using RowNormPlan::RowNormPlan;
};

RmsNorm::RmsNorm(Device& device, const LayerNormOptions& options)
    : plan_(std::make_unique<const Plan>("rms_norm", device, options)) {}

RmsNorm::~RmsNorm() = default;
RmsNorm::RmsNorm(RmsNorm&&) noexcept = default;
RmsNorm& RmsNorm::operator=(RmsNorm&&) noexcept = default;

uint64_t RmsNorm::rows() const {
    return plan_->row_count();
}
uint64_t RmsNorm::row_length() const {
    return plan_->row_length();
}
VkDeviceSize RmsNorm::scratch_bytes() const {
    return plan_->scratch.bytes();
}
std::string RmsNorm::explain() const {
    return plan_->explain();
}

void RmsNorm::forward(Recorder& recorder, const Forward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.rows, "forward");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.parameter_bytes());
    check.output("inv_rms", arguments.inv_rms, plan.row_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    plan.forward(recorder, shaders::norm_of_squares,
                 {.x = arguments.x,
                  .y = arguments.y,
                  .gamma = arguments.gamma,
                  .deviation = arguments.inv_rms,
                  .scratch = arguments.scratch});
}

void RmsNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.rows, "backward");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.input("inv_rms", arguments.inv_rms, plan.row_bytes());
    check.optional_input("gamma", arguments.gamma, plan.parameter_bytes());
    check.optional_output("dgamma", arguments.dgamma, plan.parameter_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    plan.backward(recorder, shaders::norm_of_squares,
                  {.x = arguments.x,
                   .dy = arguments.dy,
                   .dx = arguments.dx,
                   .gamma = arguments.gamma,
                   .dgamma = arguments.dgamma,
                   .deviation = arguments.inv_rms,
                   .accumulate = arguments.accumulate,
                   .scratch = arguments.scratch});
}

}  // namespace vknorm
