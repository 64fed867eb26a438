// Tunings raced against each other on a device. Those in the files of tuning_file.hpp come from here.
#pragma once

#include <optional>
#include <vector>

#include <vknorm/device.hpp>

namespace vknorm::detail {

/// How many times tunings are varied, each time in one of their members.
constexpr size_t tuning_members = 3;
/// `tuning`, then those that differ from it in that member and are worth a try.
std::vector<Tuning> variants(const Device& device, const Tuning& tuning, size_t member);

/// The shape that is usually measured: in the caches of no device of the kind.
std::vector<uint32_t> measured_shape(const DeviceInfo& info);

/// The fastest at training forward and backward of a batch normalization of that shape, NCHW; the device's
/// own where no other is clearly faster. Nothing when the observer wants to stop.
std::optional<Tuning> fastest_tuning(Device& device, const std::vector<uint32_t>& shape,
                                     const TuningObserver& observer);

}  // namespace vknorm::detail
