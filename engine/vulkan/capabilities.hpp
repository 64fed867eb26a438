// This is what a physical device can do, as vknorm sees it.
#pragma once

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

/// A kernel binds so many at most: a device with fewer is refused when it is chosen.
constexpr uint32_t needed_storage_buffers = 13;

/// Fills limits, timestamp_bits and the numbers in capabilities; what depends on enabled extensions or on
/// memory stays off. `state` has its physical_device and queue_family by then.
void read_limits(DeviceState& state);

}  // namespace vknorm::detail
