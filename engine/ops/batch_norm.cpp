// Plans of batch normalization, and its forward passes.
#include "vknorm/batch_norm.hpp"

#include "ops/batch_norm_plan.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "batch_norm";

}  // namespace

BatchNorm::Plan::Plan(Device& from, const BatchNormOptions& given)
    : device(&from.state()),
      options(checked(name, from, given)),
      work(plan_norm(name, extent_of(name, given), storage_bytes(given.storage), limits_of(from))),
      tensors{.bfloat16 = given.storage == Storage::bfloat16},
      partials(scratch.add(work.partial_bytes())),
      means(scratch.add(2 * channel_bytes())),
      twice{.dy_means = scratch.add(2 * channel_bytes()),
            .ddx_means = scratch.add(2 * channel_bytes()),
            .product_means = scratch.add(2 * channel_bytes()),
            .of_grad_dy = scratch.add(4 * channel_bytes()),
            .of_grad_x = scratch.add(4 * channel_bytes())} {}

BatchNorm::BatchNorm(Device& device, const BatchNormOptions& options)
    : plan_(std::make_unique<const Plan>(device, options)) {}

BatchNorm::~BatchNorm() = default;
BatchNorm::BatchNorm(BatchNorm&&) noexcept = default;
BatchNorm& BatchNorm::operator=(BatchNorm&&) noexcept = default;

uint32_t BatchNorm::channels() const {
    return static_cast<uint32_t>(plan_->channels());
}
uint64_t BatchNorm::elements() const {
    return plan_->work.extent.elements();
}
uint64_t BatchNorm::values_per_channel() const {
    return plan_->values();
}
VkDeviceSize BatchNorm::scratch_bytes() const {
    return plan_->scratch.bytes();
}
VkDeviceSize BatchNorm::relu_mask_bytes() const {
    return plan_->work.mask_bytes();
}
std::string BatchNorm::explain() const {
    return detail::explain(plan_->work) + explain_all(*plan_->device, plan_->work, plan_->tensors) +
           "  scratch: " + std::to_string(scratch_bytes()) + " bytes\n";
}

void BatchNorm::Plan::check_mask(const Arguments& check) const {
    const uint64_t most = work.limits.range - work.limits.alignment;
    if (work.mask_bytes() <= most) return;
    check.refuse("relu_mask", std::to_string(work.mask_bytes()) + " bytes",
                 "at most " + std::to_string(most) + " on this device");
}

void BatchNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward_training");
    const BatchNormConvention& convention = plan.options.convention;
    if (plan.values() == 1 && plan.options.single_value == SingleValue::error) {
        check.refuse("x", "1 value per channel, shape " + shape_text(plan.options.shape),
                     "more than 1 when training");
    }
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x", "residual"});
    if (arguments.residual) check.tensor("residual", arguments.residual);
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.channel_bytes());
    check.output("inv_std", arguments.inv_std, plan.channel_bytes());
    check_running(check, convention, plan.channel_bytes(), arguments.running_mean, arguments.running_var,
                  arguments.num_batches_tracked);
    if (arguments.relu_mask) plan.check_mask(check);
    check.optional_output("relu_mask", arguments.relu_mask, plan.work.mask_bytes());
    check.optional_input("valid", arguments.valid, plan.valid_bytes());
    if (arguments.valid) check.output("count", arguments.count, sizeof(uint32_t));
    check.optional_output("health", arguments.health, plan.channels() * sizeof(ChannelHealth));
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const bool keeps = plan.options.single_value == SingleValue::keep_running;
    const BufferView partials = plan.partials.of(arguments.scratch);
    if (arguments.health) {
        const BufferView& health = arguments.health;
        fill(recorder, {health.buffer, health.offset, plan.channels() * sizeof(ChannelHealth)},
             ChannelHealth::none);
    }
    record(recorder, plan.work, plan.tensors,
           StatisticsPass{.x = arguments.x,
                          .num_batches_tracked = arguments.num_batches_tracked,
                          .valid = arguments.valid,
                          .health = arguments.health,
                          .partials = partials},
           FinalizePass{.from = partials_of_sets(plan.work, 1, partials),
                        .mean = arguments.mean,
                        .inv_std = arguments.inv_std,
                        .epsilon = convention.epsilon,
                        .running = running_update(convention, keeps ? 2 : 1, arguments.running_mean,
                                                  arguments.running_var, arguments.num_batches_tracked),
                        .count = arguments.valid ? arguments.count : BufferView{},
                        .health = arguments.health},
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .residual = arguments.residual,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                     .extras = {arguments.relu, arguments.relu_mask, arguments.valid}});
}

void BatchNorm::forward_inference(Recorder& recorder, const ForwardInference& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "forward_inference");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x", "residual"});
    if (arguments.residual) check.tensor("residual", arguments.residual);
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.input("running_mean", arguments.running_mean, plan.channel_bytes());
    check.input("running_var", arguments.running_var, plan.channel_bytes());
    if (arguments.relu_mask) plan.check_mask(check);
    check.optional_output("relu_mask", arguments.relu_mask, plan.work.mask_bytes());
    check.check_overlap();

    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .residual = arguments.residual,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = plan.frozen(arguments.running_mean, arguments.running_var),
                     .extras = {arguments.relu, arguments.relu_mask, {}}});
}

}  // namespace vknorm
