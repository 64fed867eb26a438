#include "ops/norm/options.hpp"

#include <algorithm>
#include <cmath>

namespace vknorm::detail {

PlanLimits limits_of(const Device& device) {
    const Capabilities& capabilities = device.capabilities();
    return {.groups = capabilities.max_workgroups,
            .range = capabilities.max_storage_buffer_range,
            .alignment = capabilities.storage_buffer_offset_alignment,
            .parallel = device.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU ? 1u << 9 : 1u << 18,
            .tuning = device.tuning()};
}

void check_epsilon(const std::string& operation, float epsilon) {
    if (!(epsilon >= 0 && std::isfinite(epsilon)))
        refuse(operation, "epsilon", std::to_string(epsilon), "a finite number from 0 on");
}

void check_momentum(const std::string& operation, float momentum) {
    if (!(momentum >= 0 && momentum <= 1)) refuse(operation, "momentum", std::to_string(momentum), "0 to 1");
}

void check_storage(const std::string& operation, const Device& device, Storage storage) {
    if (storage == Storage::float32 || device.capabilities().storage_16_bit) return;
    throw Unsupported(operation + ": storage: got " + (storage == Storage::float16 ? "float16" : "bfloat16") +
                      ", needs a device with storageBuffer16BitAccess");
}

BatchNormOptions checked(const std::string& operation, const Device& device,
                         const BatchNormOptions& options) {
    check_momentum(operation, options.convention.momentum);
    check_epsilon(operation, options.convention.epsilon);
    check_storage(operation, device, options.storage);
    return options;
}

Extent extent_of(const std::string& operation, const BatchNormOptions& options) {
    const Extent extent = batch_extent(operation, options.shape, options.layout == Layout::channels_last);
    if (!options.per_activation) return extent;
    const uint64_t images = options.shape.front();
    uint64_t activations = 1;
    for (size_t axis = 1; axis < options.shape.size(); ++axis)
        activations = checked_product(activations, options.shape[axis], operation + ": shape");
    return {.images = images, .channels = activations, .positions = 1};
}

RunningUpdate running_update(const BatchNormConvention& convention, uint32_t least, const BufferView& mean,
                             const BufferView& var, const BufferView& num_batches_tracked) {
    const float rest = static_cast<float>(1.0 - double{convention.momentum});
    const bool weighs_new = convention.momentum_form == Momentum::weighs_new;
    return {.mean = mean,
            .var = var,
            .keep = weighs_new ? rest : convention.momentum,
            .take = weighs_new ? convention.momentum : rest,
            .cumulative = mean && convention.momentum_form == Momentum::cumulative,
            .unbiased = convention.running_variance == RunningVariance::unbiased,
            .least = least,
            .num_batches_tracked = num_batches_tracked};
}

void check_running(Arguments& check, const BatchNormConvention& convention, uint64_t channel_bytes,
                   const BufferView& mean, const BufferView& var, const BufferView& num_batches_tracked) {
    const bool updates = mean || var;
    if (updates) {
        check.output("running_mean", mean, channel_bytes);
        check.output("running_var", var, channel_bytes);
    }
    if (updates && convention.momentum_form == Momentum::cumulative)
        check.output("num_batches_tracked", num_batches_tracked, 2 * sizeof(uint32_t));
    else
        check.optional_output("num_batches_tracked", num_batches_tracked, 2 * sizeof(uint32_t));
}

NormArguments::NormArguments(const Recorder& recorder, const DeviceState* device, const NormPlan& plan,
                             const char* call)
    : Arguments(plan.operation + "." + call), plan_(plan) {
    if (&recorder.device().state() != device)
        refuse("recorder", "one of another device", "one of the plan's");
}

void NormArguments::tensor(const char* name, const BufferView& view) {
    offsets(plan_.element_bytes);
    input(name, view, plan_.extent.elements() * plan_.element_bytes);
    offsets(sizeof(float));
}

void NormArguments::output_tensor(const char* name, const BufferView& view, Names in_place) {
    offsets(plan_.element_bytes);
    output(name, view, plan_.extent.elements() * plan_.element_bytes, in_place);
    offsets(sizeof(float));
}

std::string shape_text(const std::vector<uint32_t>& shape) {
    std::string text;
    for (const uint32_t length : shape) text += (text.empty() ? "(" : ", ") + std::to_string(length);
    return text + ")";
}

}  // namespace vknorm::detail
