// The plan behind a BatchNorm.
#pragma once

#include "ops/norm/options.hpp"

namespace vknorm {

struct BatchNorm::Plan {
    Plan(Device& device, const BatchNormOptions& options);

    const detail::DeviceState* device;
    BatchNormOptions options;
    detail::NormPlan work;
    detail::Tensors tensors;
    detail::Scratch scratch{};
    detail::Piece partials, means;
    /// Pairs of means of dy, of ddx, and of their products; what grad_dy and grad_x are made of.
    struct DoublePieces {
        detail::Piece dy_means, ddx_means, product_means, of_grad_dy, of_grad_x;
    } twice;

    uint64_t channels() const { return work.extent.channels; }
    uint64_t channel_bytes() const { return channels() * sizeof(float); }
    uint64_t values() const { return work.extent.values_per_line(); }
    uint64_t valid_bytes() const { return values() * sizeof(uint32_t); }
    detail::Statistics frozen(const BufferView& running_mean, const BufferView& running_var) const {
        return {.kind = shaders::norm_of_running,
                .mean = running_mean,
                .deviation = running_var,
                .epsilon = options.convention.epsilon};
    }
    /// The mask of a ReLU fits a binding.
    void check_mask(const detail::Arguments& check) const;
};

}  // namespace vknorm
