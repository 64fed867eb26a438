// Devices that are still there when the process ends: those of static objects.
#pragma once

#include <memory>

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

/// Objects made before main() are destroyed after what drivers made, so that no driver may be called for
/// them. Such a device is let go of in time: what it runs is waited for, no longer than its farewell says,
/// its pipeline cache is kept, and it is lost from then on. To be called when the driver has made the device.
void let_go_at_exit(const std::shared_ptr<DeviceState>& state);

}  // namespace vknorm::detail
