// What group and instance normalization share: every image is normalized by itself, in groups of channels.
#pragma once

#include <vknorm/group_norm.hpp>

#include "ops/norm/arguments.hpp"

namespace vknorm::detail {

struct GroupedNorm {
    /// Throws std::invalid_argument for options out of range.
    GroupedNorm(const std::string& operation, Device& device, const GroupNormOptions& options);

    const NormPlan& plan() const { return norm.plan(); }
    /// Checks and records.
    void backward(Recorder& recorder, const GroupNorm::Backward& arguments) const;

    NormPasses norm;
    float epsilon;
    Scratch scratch{};
    ScratchRange partials, means;
};

}  // namespace vknorm::detail
