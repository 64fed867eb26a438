#include "vknorm/batch_norm.hpp"

#include "ops/batch_norm_double_backward.hpp"
#include "ops/norm/arguments.hpp"
#include "ops/norm/options.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr const char* name = "batch_norm";

ReluGate gate_of(const auto& arguments) {
    return {arguments.relu, arguments.relu_mask, arguments.y};
}

/// What a ReLU let through after a residual was added cannot be told from x.
void check_gate(const Arguments& check, const ReluGate& gate, bool gives_dresidual) {
    if (gate.output && (!gate.applied || gate.mask))
        check.refuse("y", "a buffer", gate.applied ? "none beside relu_mask" : "none without relu");
    if (gate.recomputed() && gives_dresidual)
        check.refuse("relu_mask", "no buffer", "that of forward, or its y, with dresidual");
}

}  // namespace

struct BatchNorm::Impl {
    Impl(Device& device, const BatchNormOptions& given)
        : options(given),
          norm(device, plan_norm(name, extent_of(name, given), given.storage, limits_of(device))),
          partials(scratch.add(plan().partial_bytes())),
          means(scratch.add(2 * channel_bytes())),
          staging(scratch.add(given.guard ? 2 * channel_bytes() : 0)),
          twice(plan(), scratch) {}

    BatchNormOptions options;
    NormPasses norm;
    Scratch scratch{};
    ScratchRange partials, means;
    ScratchRange staging;  ///< with a guard
    BatchNormDoubleBackward twice;

    const NormPlan& plan() const { return norm.plan(); }
    uint64_t channel_bytes() const { return plan().channel_bytes(); }
    uint64_t values() const { return plan().extent.values_per_channel(); }
    uint64_t valid_bytes() const { return values() * sizeof(uint32_t); }
    uint64_t health_bytes() const { return plan().extent.channels * sizeof(ChannelHealth); }
    StatisticsView frozen(const BufferView& running_mean, const BufferView& running_var) const {
        return {.kind = shaders::norm_of_running,
                .mean = running_mean,
                .deviation = running_var,
                .epsilon = options.convention.epsilon};
    }
    /// The mask of a ReLU fits a binding.
    void check_mask(const Arguments& check) const {
        const uint64_t bytes = plan().mask_bytes(), most = plan().limits.binding_bytes();
        if (bytes > most)
            check.refuse("relu_mask", std::to_string(bytes) + " bytes",
                         "at most " + std::to_string(most) + " on this device");
    }
};

BatchNorm::BatchNorm(Device& device, const BatchNormOptions& options)
    : impl_("BatchNorm", std::make_shared<const Impl>(device, options)) {}

uint32_t BatchNorm::channels() const {
    return static_cast<uint32_t>(impl_->plan().extent.channels);
}
uint64_t BatchNorm::elements() const {
    return impl_->plan().extent.elements();
}
uint64_t BatchNorm::values_per_channel() const {
    return impl_->values();
}
VkDeviceSize BatchNorm::scratch_bytes() const {
    return impl_->scratch.bytes();
}
VkDeviceSize BatchNorm::relu_mask_bytes() const {
    return impl_->plan().mask_bytes();
}
std::string BatchNorm::explain() const {
    return impl_->norm.explain_fused() + "  " + explain_scratch(scratch_bytes());
}

void BatchNorm::forward_training(Recorder& recorder, const ForwardTraining& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "forward_training");
    const BatchNormConvention& convention = impl.options.convention;
    if (impl.values() == 1 && impl.options.single_value == SingleValue::error) {
        check.refuse("x", "1 value per channel, shape " + shape_text(impl.options.shape),
                     "more than 1 when training");
    }
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x", "residual"});
    if (arguments.residual) check.tensor("residual", arguments.residual);
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    check.output("mean", arguments.mean, 2 * impl.channel_bytes());
    check.output("inv_std", arguments.inv_std, impl.channel_bytes());
    const auto running = RunningBuffers::of(arguments);
    check_running(check, convention, impl.options.guard, impl.channel_bytes(), running);
    if (arguments.relu_mask) impl.check_mask(check);
    check.optional_output("relu_mask", arguments.relu_mask, impl.plan().mask_bytes());
    check.optional_input("valid", arguments.valid, impl.valid_bytes());
    if (arguments.valid) check.output("count", arguments.count, sizeof(uint32_t));
    check.optional_output("health", arguments.health, impl.health_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const bool keeps = impl.options.single_value == SingleValue::keep_running;
    const BufferView partials = impl.partials.of(arguments.scratch);
    const RunningUpdate update =
        running_update(convention, keeps ? 2 : 1, running, impl.staging.of(arguments.scratch));
    if (arguments.health) {
        const BufferView& health = arguments.health;
        fill(recorder, {health.buffer, health.offset, impl.health_bytes()}, ChannelHealth::none);
    }
    impl.norm.forward(recorder,
                      {.x = arguments.x,
                       .num_batches_tracked = counted_at_once(update),
                       .valid = arguments.valid,
                       .health = arguments.health,
                       .partials = partials},
                      {.from = partials_of_sets(impl.plan(), partials),
                       .x = arguments.x,
                       .valid = arguments.valid,
                       .mean = arguments.mean,
                       .inv_std = arguments.inv_std,
                       .epsilon = convention.epsilon,
                       .running = update,
                       .count = arguments.valid ? arguments.count : BufferView{},
                       .health = arguments.health},
                      {.x = arguments.x,
                       .y = arguments.y,
                       .residual = arguments.residual,
                       .affine = {arguments.gamma, arguments.beta},
                       .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                       .relu = arguments.relu,
                       .relu_mask = arguments.relu_mask,
                       .valid = arguments.valid});
}

void BatchNorm::forward_inference(Recorder& recorder, const ForwardInference& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "forward_inference");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x", "residual"});
    if (arguments.residual) check.tensor("residual", arguments.residual);
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    check.input("running_mean", arguments.running_mean, impl.channel_bytes());
    check.input("running_var", arguments.running_var, impl.channel_bytes());
    if (arguments.relu_mask) impl.check_mask(check);
    check.optional_output("relu_mask", arguments.relu_mask, impl.plan().mask_bytes());
    check.check_overlap();

    impl.norm.apply(recorder, {.x = arguments.x,
                               .y = arguments.y,
                               .residual = arguments.residual,
                               .affine = {arguments.gamma, arguments.beta},
                               .statistics = impl.frozen(arguments.running_mean, arguments.running_var),
                               .relu = arguments.relu,
                               .relu_mask = arguments.relu_mask});
}

void BatchNorm::backward(Recorder& recorder, const Backward& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "backward");
    const ReluGate gate = gate_of(arguments);
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * impl.channel_bytes());
    check.input("inv_std", arguments.inv_std, impl.channel_bytes());
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, impl.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, impl.channel_bytes());
    if (arguments.relu_mask) impl.check_mask(check);
    check.optional_input("relu_mask", arguments.relu_mask, impl.plan().mask_bytes());
    if (arguments.y) check.tensor("y", arguments.y);
    check_gate(check, gate, bool(arguments.dresidual));
    if (arguments.dresidual) check.output_tensor("dresidual", arguments.dresidual, {"dy"});
    check.optional_input("valid", arguments.valid, impl.valid_bytes());
    if (arguments.valid) check.input("count", arguments.count, sizeof(uint32_t));
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const bool recomputes = gate.recomputed();
    const Affine affine{arguments.gamma, arguments.beta};
    const StatisticsView statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const BufferView partials = impl.partials.of(arguments.scratch), means = impl.means.of(arguments.scratch);
    const bool needs_x = arguments.dx || arguments.dgamma || recomputes;
    const BackwardSumsPass sums{.x = needs_x ? arguments.x : BufferView{},
                                .dy = arguments.dy,
                                .affine = recomputes ? affine : Affine{},
                                .statistics = statistics,
                                .relu = gate,
                                .valid = arguments.valid,
                                .partials = partials};
    const BackwardFinalizePass finalize{
        .from = partials_of_sets(impl.plan(), partials),
        .dgamma = arguments.dgamma,
        .dbeta = arguments.dbeta,
        .accumulate = arguments.accumulate,
        .means = arguments.dx ? means : BufferView{},
        .values = {.known = impl.values(), .count = arguments.valid ? arguments.count : BufferView{}}};
    const BackwardApplyPass apply{.x = arguments.x,
                                  .dy = arguments.dy,
                                  .dx = arguments.dx,
                                  .dresidual = arguments.dresidual,
                                  .affine = affine,
                                  .statistics = statistics,
                                  .relu = gate,
                                  .valid = arguments.valid,
                                  .means = means};
    if (arguments.dx) {
        impl.norm.backward(recorder, sums, finalize, apply);
        return;
    }
    if (arguments.dgamma || arguments.dbeta) {
        impl.norm.backward_sums(recorder, sums);
        impl.norm.backward_finalize(recorder, finalize);
    }
    if (arguments.dresidual) impl.norm.backward_apply(recorder, apply);
}

void BatchNorm::backward_frozen(Recorder& recorder, const BackwardFrozen& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "backward_frozen");
    const ReluGate gate = gate_of(arguments);
    const bool recomputes = gate.recomputed();
    if (arguments.x || arguments.dgamma || recomputes) check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("running_mean", arguments.running_mean, impl.channel_bytes());
    check.input("running_var", arguments.running_var, impl.channel_bytes());
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    if (arguments.dx) check.output_tensor("dx", arguments.dx, {"dy"});
    check.optional_output("dgamma", arguments.dgamma, impl.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, impl.channel_bytes());
    if (arguments.relu_mask) impl.check_mask(check);
    check.optional_input("relu_mask", arguments.relu_mask, impl.plan().mask_bytes());
    if (arguments.y) check.tensor("y", arguments.y);
    check_gate(check, gate, bool(arguments.dresidual));
    if (arguments.dresidual) check.output_tensor("dresidual", arguments.dresidual, {"dy"});
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const Affine affine{arguments.gamma, arguments.beta};
    const StatisticsView statistics = impl.frozen(arguments.running_mean, arguments.running_var);
    if (arguments.dgamma || arguments.dbeta) {
        const BufferView partials = impl.partials.of(arguments.scratch);
        impl.norm.backward_sums(recorder, {.x = arguments.dgamma || recomputes ? arguments.x : BufferView{},
                                           .dy = arguments.dy,
                                           .affine = recomputes ? affine : Affine{},
                                           .statistics = statistics,
                                           .relu = gate,
                                           .partials = partials});
        impl.norm.backward_finalize(recorder, {.from = partials_of_sets(impl.plan(), partials),
                                               .dgamma = arguments.dgamma,
                                               .dbeta = arguments.dbeta,
                                               .accumulate = arguments.accumulate});
    }
    if (arguments.dx || arguments.dresidual) {
        impl.norm.backward_apply(recorder, {.x = recomputes ? arguments.x : BufferView{},
                                            .dy = arguments.dy,
                                            .dx = arguments.dx,
                                            .dresidual = arguments.dresidual,
                                            .affine = affine,
                                            .statistics = statistics,
                                            .relu = gate});
    }
}

void BatchNorm::double_backward(Recorder& recorder, const DoubleBackward& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "double_backward");
    if (impl.options.storage != Storage::float32) check.refuse("storage", "16 bits", "float32");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * impl.channel_bytes());
    check.input("inv_std", arguments.inv_std, impl.channel_bytes());
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    if (arguments.ddx) check.tensor("ddx", arguments.ddx);
    check.optional_input("ddgamma", arguments.ddgamma, impl.channel_bytes());
    check.optional_input("ddbeta", arguments.ddbeta, impl.channel_bytes());
    if (arguments.grad_dy) check.output_tensor("grad_dy", arguments.grad_dy);
    if (arguments.grad_x) check.output_tensor("grad_x", arguments.grad_x);
    check.optional_output("grad_gamma", arguments.grad_gamma, impl.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    if (!arguments.grad_dy && !arguments.grad_x && !arguments.grad_gamma) return;

    impl.twice.record(recorder, impl.norm, impl.partials.of(arguments.scratch), arguments);
}

}  // namespace vknorm
