// What makes kernels fast on a device, and never changes a bit of what they compute.
//
// Which way is the fastest depends on the driver and on the CPU under it, so that it can only be measured. A
// device starts with what a small table says about its driver; with DeviceOptions::tuning = tuned_in(folder)
// it measures, once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace vknorm {

class Device;

/// How a kernel reaches four adjacent float32 values. Tensors in a caller's VkBuffers are always vectors.
enum class BlockAccess {
    vectors,      ///< in storage buffers
    texels,       ///< read as texels of four, written as vectors
    texels_wide,  ///< read as texels of four, written as two integers of 64 bits
};

struct Tuning {
    static constexpr uint32_t least_workgroup = 8, least_sweep = 4, most_sweep = 512;

    BlockAccess blocks = BlockAccess::vectors;
    uint32_t workgroup = 128;     ///< invocations of a workgroup that walks through a tensor
    uint32_t sweep = most_sweep;  ///< most blocks that an invocation of a pass which writes tensors visits
    uint32_t fused_rows = 0;      ///< of a tensor (N, C): so many, at most, are normalized by one dispatch
    uint32_t fused_elements = 0;  ///< of images in all: so many, at most, are, too

    bool operator==(const Tuning&) const = default;
    /// "blocks=vectors workgroup=128 sweep=512 fused_rows=0 fused_elements=0"
    std::string text() const;
};

using Tuner = std::function<Tuning(Device&)>;

/// One tuning that was measured.
struct TuningTrial {
    Tuning tuning;
    double milliseconds;  ///< its best time for two batch normalizations, training forward and backward
};
/// Told every trial, at most a dozen. When it returns false measuring ends: the device keeps the table's
/// tuning, and the next one measures anew.
using TuningObserver = std::function<bool(const TuningTrial&)>;

/// Finds the fastest tuning of a device, in a few seconds and with up to 500 MB of its memory, where a file
/// in `folder` does not tell yet, and writes that file: for this device (by its UUID) with this version of
/// its driver. A damaged file is replaced. Makes the folder where it is missing, and throws FileError, before
/// it measures, where the file cannot be written, or is none. A CPU device has the same UUID on every
/// machine: give each machine a folder.
Tuner tuned_in(std::filesystem::path folder, TuningObserver observer = {});

}  // namespace vknorm
