// What group and instance normalization share: every image is normalized by itself, in groups of channels.
#pragma once

#include <vknorm/group_norm.hpp>

#include "ops/norm/options.hpp"

namespace vknorm::detail {

struct ImageNormPlan {
    ImageNormPlan(const std::string& operation, Device& device, const GroupNormOptions& options);

    const DeviceState* device;
    NormPlan work;
    Tensors tensors;
    float epsilon;
    Scratch scratch{};
    Piece partials, means;

    uint64_t sets() const { return work.extent.lines() / tensors.group; }
    uint64_t set_bytes() const { return sets() * sizeof(float); }
    uint64_t channel_bytes() const { return work.extent.channels * sizeof(float); }

    /// Checks and records.
    void backward(Recorder& recorder, const GroupNorm::Backward& arguments) const;
};

}  // namespace vknorm::detail
