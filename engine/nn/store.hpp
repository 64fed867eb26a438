// What the layers of a network share: flat buffers for their tensors, and how a pass treats the norms.
#pragma once

#include <vknorm/network.hpp>

#include "nn/store_layout.hpp"

namespace vknorm::detail {

/// See store_layout.hpp.
struct Store {
    Buffer parameters, gradient;
    Buffer working,
        committed;   ///< running statistics: those that norms update, and those of the last sound step
    Buffer saved;    ///< what the norms save for backward
    Buffer scratch;  ///< of the norms
};

/// A range of elements of a flat buffer; absent when empty.
inline BufferView view_of(const Buffer& buffer, const Range& range) {
    if (range.count == 0) return {};
    return buffer.view(4 * range.first, 4 * range.count);
}

/// How a pass through the network treats the norms, and whom it tells about values that are not finite.
struct Pass {
    Statistics statistics = Statistics::running;
    RenormLimits renorm{};
    bool update_running = false;
    bool train_affine = false;
    bool keep_normalized = false;  ///< what the norms give is wanted without the ReLU behind it
    BufferView health{};
};

}  // namespace vknorm::detail
