// Texel buffers are the fastest loads on some CPU drivers.
#pragma once

#include <algorithm>
#include <initializer_list>

#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

/// Whether a kernel takes these float32 tensors as texels here. Both forms give the same bits.
inline bool reads_texels(const Recorder& recorder, std::initializer_list<BufferView> tensors) {
    const DeviceState& device = recorder.device().state();
    if (device.tuning.loads == BlockLoads::buffers) return false;
    return std::all_of(tensors.begin(), tensors.end(),
                       [&](const BufferView& tensor) { return may_be_texels(device, tensor); });
}

}  // namespace vknorm::detail
