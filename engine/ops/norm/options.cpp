#include "ops/norm/options.hpp"

#include <cmath>

#include "ops/arguments.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

void check_epsilon(const std::string& operation, float epsilon) {
    if (!(epsilon >= 0 && std::isfinite(epsilon)))
        refuse(operation, "epsilon", std::to_string(epsilon), "a finite number from 0 on");
}

void check_momentum(const std::string& operation, float momentum) {
    if (!(momentum >= 0 && momentum <= 1)) refuse(operation, "momentum", std::to_string(momentum), "0 to 1");
}

void check_convention(const std::string& operation, const BatchNormConvention& convention) {
    require_value(operation, "running_variance", convention.running_variance, RunningVariance::biased);
    require_value(operation, "momentum_form", convention.momentum_form, Momentum::cumulative);
    check_momentum(operation, convention.momentum);
    check_epsilon(operation, convention.epsilon);
}

void check_storage(const std::string& operation, const Device& device, Storage storage) {
    require_value(operation, "storage", storage, Storage::bfloat16);
    if (storage == Storage::float32 || device.capabilities().storage_16_bit) return;
    throw Unsupported(operation + ": storage: got " + (storage == Storage::float16 ? "float16" : "bfloat16") +
                      ", needs a device with storageBuffer16BitAccess");
}

Extent extent_of(const std::string& operation, const BatchNormOptions& options) {
    check_convention(operation, options.convention);
    require_value(operation, "single_value", options.single_value, SingleValue::normalize);
    const Extent extent = batch_extent(operation, options.shape, options.layout);
    if (!options.per_activation) return extent;
    const uint64_t images = options.shape.front();
    uint64_t activations = 1;
    for (size_t axis = 1; axis < options.shape.size(); ++axis)
        activations = checked_product(activations, options.shape[axis], operation + ": shape");
    return {.images = images, .channels = activations, .positions = 1};
}

std::string shape_text(const std::vector<uint32_t>& shape) {
    std::string text;
    for (const uint32_t length : shape) text += (text.empty() ? "(" : ", ") + std::to_string(length);
    return text + ")";
}

}  // namespace vknorm::detail
