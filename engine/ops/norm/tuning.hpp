// Which tunings there are: a table by driver, what a device can do, and their text. A device keeps its
// tuning; what it means is known here, and so is how it gets one (Device::tune). Calls no Vulkan.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <vknorm/device.hpp>

namespace vknorm::detail {

/// By what the driver reports.
Tuning default_tuning(const DeviceInfo& info, const Capabilities& capabilities);

/// "workgroup: got 4096, needs 8 to 1024", where a device cannot do it; empty where it can.
std::string complaint(const Tuning& tuning, const Capabilities& capabilities);

/// What Tuning::text() gave.
std::optional<Tuning> tuning_of(const std::string& text);

}  // namespace vknorm::detail
