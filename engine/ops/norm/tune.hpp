// Tunings raced against each other on a device. Those in the files of tuning_file.hpp come from here.
#pragma once

#include <optional>
#include <vector>

#include <vknorm/device.hpp>

namespace vknorm::detail {

/// How many times tunings are varied, each time in one of their members.
constexpr size_t tuning_members = 6;
/// `tuning`, then those that differ from it in that member and are worth a try.
std::vector<Tuning> variants(const Device& device, const Tuning& tuning, size_t member);

using Shapes = std::vector<std::vector<uint32_t>>;

/// What is usually measured: large images and small ones, in the caches of no device of the kind.
Shapes measured_shapes(const Capabilities& capabilities);

/// The fastest at training forward and backward of batch normalizations of these shapes, NCHW; the device's
/// own where no other is clearly faster. Nothing when the observer wants to stop.
std::optional<Tuning> fastest_tuning(Device& device, const Shapes& shapes, const TuningObserver& observer);

}  // namespace vknorm::detail
