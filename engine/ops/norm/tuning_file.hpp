// Where a tuning is kept between runs.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include <vknorm/device.hpp>

namespace vknorm::detail {

/// Of a device as it is with its driver and with our kernels.
std::filesystem::path tuning_file(const std::filesystem::path& folder, const DeviceInfo& info);

/// What the file says, or else what `measure` finds, which is written to it. When that is nothing, the
/// device's own, and nothing is written.
Tuning kept_tuning(Device& device, const std::filesystem::path& folder,
                   const std::function<std::optional<Tuning>()>& measure);

}  // namespace vknorm::detail
