// This is what a physical device can do, as vknorm sees it.
#pragma once

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

/// The usual kernels bind so many at most: a device with fewer is refused when it is chosen. Some operations
/// with many optional arguments bind more, and say so where a device has too few.
constexpr uint32_t needed_storage_buffers = 8;

/// Fills limits, timestamp_bits and the numbers in capabilities; what depends on enabled extensions or on
/// memory stays off. `state` has its physical_device and queue_family by then.
void read_limits(DeviceState& state);

}  // namespace vknorm::detail
