#include "vknorm/batch_norm.hpp"

#include <algorithm>
#include <cmath>

#include "ops/arguments.hpp"
#include "ops/batch_norm_passes.hpp"
#include "ops/batch_norm_plan.hpp"

namespace vknorm {

namespace {

detail::PlanLimits limits_of(const Device& device) {
    const Capabilities& capabilities = device.capabilities();
    const bool cpu = device.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
    return {.workgroup = std::min(capabilities.max_workgroup_invocations, detail::merge_workgroup),
            .groups = capabilities.max_workgroups,
            .range = capabilities.max_storage_buffer_range,
            .alignment = capabilities.storage_buffer_offset_alignment,
            .parallel = cpu ? 1u << 13 : 1u << 18};
}

void check(const BatchNormConvention& convention) {
    if (!(convention.momentum >= 0 && convention.momentum <= 1)) {
        detail::refuse("batch_norm", "momentum", std::to_string(convention.momentum), "0 to 1");
    }
    if (!(convention.epsilon >= 0 && std::isfinite(convention.epsilon))) {
        detail::refuse("batch_norm", "epsilon", std::to_string(convention.epsilon),
                       "a finite number from 0 on");
    }
}

std::string shape_text(const std::vector<uint32_t>& shape) {
    std::string text;
    for (const uint32_t length : shape) text += (text.empty() ? "(" : ", ") + std::to_string(length);
    return text + ")";
}

}  // namespace

struct BatchNorm::Plan {
    const detail::DeviceState* device;
    BatchNormOptions options;
    detail::BatchNormPlan work;

    uint64_t tensor_bytes() const { return work.extent.elements() * sizeof(float); }
    uint64_t channel_bytes() const { return work.extent.channels * sizeof(float); }
    uint64_t values() const { return work.extent.values_per_channel(); }

    void check_device(const Recorder& recorder, const char* operation) const {
        if (&recorder.device().state() != device) {
            detail::refuse(operation, "recorder", "one of another device", "one of the plan's");
        }
    }
    detail::Statistics frozen(const BufferView& running_mean, const BufferView& running_var) const {
        return {.mean = running_mean,
                .deviation = running_var,
                .frozen = true,
                .epsilon = options.convention.epsilon};
    }
    detail::RunningUpdate running_update(const ForwardTraining& arguments) const;
};

BatchNorm::BatchNorm(Device& device, const BatchNormOptions& options) {
    check(options.convention);
    plan_ = std::make_unique<const Plan>(Plan{
        &device.state(), options,
        detail::plan_batch_norm(options.shape, options.layout == Layout::channels_last, limits_of(device))});
}

BatchNorm::~BatchNorm() = default;
BatchNorm::BatchNorm(BatchNorm&&) noexcept = default;
BatchNorm& BatchNorm::operator=(BatchNorm&&) noexcept = default;

uint32_t BatchNorm::channels() const {
    return static_cast<uint32_t>(plan_->work.extent.channels);
}
uint64_t BatchNorm::elements() const {
    return plan_->work.extent.elements();
}
uint64_t BatchNorm::values_per_channel() const {
    return plan_->values();
}
VkDeviceSize BatchNorm::scratch_bytes() const {
    return plan_->work.scratch_bytes;
}
std::string BatchNorm::explain() const {
    return detail::explain(plan_->work);
}

detail::RunningUpdate BatchNorm::Plan::running_update(const ForwardTraining& arguments) const {
    const bool keep = values() == 0 || (values() == 1 && options.single_value == SingleValue::keep_running);
    if (!arguments.running_mean || keep) return {};
    const BatchNormConvention& convention = options.convention;
    const float rest = static_cast<float>(1.0 - double{convention.momentum});
    const bool weighs_new = convention.momentum_form == Momentum::weighs_new;
    const bool unbiased = convention.running_variance == RunningVariance::unbiased && values() > 1;
    return {.mean = arguments.running_mean,
            .var = arguments.running_var,
            .keep = weighs_new ? rest : convention.momentum,
            .take = weighs_new ? convention.momentum : rest,
            .cumulative = convention.momentum_form == Momentum::cumulative,
            .divisor = static_cast<float>(values() - (unbiased ? 1 : 0))};
}

void BatchNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Plan& plan = *plan_;
    const char* const operation = "batch_norm.forward_training";
    plan.check_device(recorder, operation);
    if (plan.values() == 1 && plan.options.single_value == SingleValue::error) {
        detail::refuse(operation, "x", "1 value per channel, shape " + shape_text(plan.options.shape),
                       "more than 1 when training");
    }
    detail::Arguments check(operation);
    check.input("x", arguments.x, plan.tensor_bytes());
    check.output("y", arguments.y, plan.tensor_bytes(), "x");
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.output("mean", arguments.mean, 2 * plan.channel_bytes());
    check.output("inv_std", arguments.inv_std, plan.channel_bytes());
    if (arguments.running_mean || arguments.running_var) {
        check.output("running_mean", arguments.running_mean, plan.channel_bytes());
        check.output("running_var", arguments.running_var, plan.channel_bytes());
    }
    const detail::RunningUpdate running = plan.running_update(arguments);
    if (running.cumulative)
        check.output("num_batches_tracked", arguments.num_batches_tracked, 2 * sizeof(uint32_t));
    else
        check.optional_output("num_batches_tracked", arguments.num_batches_tracked, 2 * sizeof(uint32_t));
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    detail::record(recorder, plan.work,
                   detail::StatisticsPass{.x = arguments.x,
                                          .num_batches_tracked = arguments.num_batches_tracked,
                                          .scratch = arguments.scratch});
    detail::record(recorder, plan.work,
                   detail::FinalizePass{.scratch = arguments.scratch,
                                        .mean = arguments.mean,
                                        .inv_std = arguments.inv_std,
                                        .epsilon = plan.options.convention.epsilon,
                                        .running = running,
                                        .num_batches_tracked = arguments.num_batches_tracked});
    detail::record(recorder, plan.work,
                   detail::ApplyPass{.x = arguments.x,
                                     .y = arguments.y,
                                     .gamma = arguments.gamma,
                                     .beta = arguments.beta,
                                     .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void BatchNorm::forward_inference(Recorder& recorder, const ForwardInference& arguments) const {
    const Plan& plan = *plan_;
    const char* const operation = "batch_norm.forward_inference";
    plan.check_device(recorder, operation);
    detail::Arguments check(operation);
    check.input("x", arguments.x, plan.tensor_bytes());
    check.output("y", arguments.y, plan.tensor_bytes(), "x");
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    check.input("running_mean", arguments.running_mean, plan.channel_bytes());
    check.input("running_var", arguments.running_var, plan.channel_bytes());
    check.check_overlap();

    detail::record(
        recorder, plan.work,
        detail::ApplyPass{.x = arguments.x,
                          .y = arguments.y,
                          .gamma = arguments.gamma,
                          .beta = arguments.beta,
                          .statistics = plan.frozen(arguments.running_mean, arguments.running_var)});
}

void BatchNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    const char* const operation = "batch_norm.backward";
    plan.check_device(recorder, operation);
    detail::Arguments check(operation);
    check.input("x", arguments.x, plan.tensor_bytes());
    check.input("dy", arguments.dy, plan.tensor_bytes());
    check.input("mean", arguments.mean, 2 * plan.channel_bytes());
    check.input("inv_std", arguments.inv_std, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_output("dx", arguments.dx, plan.tensor_bytes(), "dy");
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const detail::Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    if (arguments.dx || arguments.dgamma || arguments.dbeta) {
        const bool needs_x = arguments.dx || arguments.dgamma;
        detail::record(recorder, plan.work,
                       detail::BackwardSumsPass{.x = needs_x ? arguments.x : BufferView{},
                                                .dy = arguments.dy,
                                                .statistics = statistics,
                                                .scratch = arguments.scratch});
        detail::record(recorder, plan.work,
                       detail::BackwardFinalizePass{.scratch = arguments.scratch,
                                                    .dgamma = arguments.dgamma,
                                                    .dbeta = arguments.dbeta,
                                                    .give_means = bool(arguments.dx)});
    }
    if (arguments.dx) {
        detail::record(recorder, plan.work,
                       detail::BackwardApplyPass{.x = arguments.x,
                                                 .dy = arguments.dy,
                                                 .dx = arguments.dx,
                                                 .gamma = arguments.gamma,
                                                 .statistics = statistics,
                                                 .scratch = arguments.scratch});
    }
}

void BatchNorm::backward_frozen(Recorder& recorder, const BackwardFrozen& arguments) const {
    const Plan& plan = *plan_;
    const char* const operation = "batch_norm.backward_frozen";
    plan.check_device(recorder, operation);
    detail::Arguments check(operation);
    if (arguments.dgamma)
        check.input("x", arguments.x, plan.tensor_bytes());
    else
        check.optional_input("x", arguments.x, plan.tensor_bytes());
    check.input("dy", arguments.dy, plan.tensor_bytes());
    check.input("running_mean", arguments.running_mean, plan.channel_bytes());
    check.input("running_var", arguments.running_var, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_output("dx", arguments.dx, plan.tensor_bytes(), "dy");
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const detail::Statistics statistics = plan.frozen(arguments.running_mean, arguments.running_var);
    if (arguments.dgamma || arguments.dbeta) {
        detail::record(recorder, plan.work,
                       detail::BackwardSumsPass{.x = arguments.dgamma ? arguments.x : BufferView{},
                                                .dy = arguments.dy,
                                                .statistics = statistics,
                                                .scratch = arguments.scratch});
        detail::record(
            recorder, plan.work,
            detail::BackwardFinalizePass{
                .scratch = arguments.scratch, .dgamma = arguments.dgamma, .dbeta = arguments.dbeta});
    }
    if (arguments.dx) {
        detail::record(
            recorder, plan.work,
            detail::BackwardApplyPass{
                .dy = arguments.dy, .dx = arguments.dx, .gamma = arguments.gamma, .statistics = statistics});
    }
}

}  // namespace vknorm
