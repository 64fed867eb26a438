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

/// How a kernel reads four adjacent values. Tensors in a caller's VkBuffers are always read from buffers.
enum class BlockLoads {
    buffers,  ///< as vectors in storage buffers
    texels,   ///< as texels of texel buffers
};

/// How it writes them.
enum class BlockStores {
    vectors,
    wide,  ///< as integers of 64 bits, eight values at a time where they are aligned so
};

struct Tuning {
    static constexpr uint32_t least_workgroup = 8, least_sweep = 2, most_sweep = 512;
    static constexpr uint32_t least_images = 1, most_images = 32;

    BlockLoads loads = BlockLoads::buffers;
    BlockStores stores = BlockStores::vectors;
    uint32_t workgroup = 128;  ///< invocations of a workgroup that walks through a tensor
    // Of a pass which writes tensors, by an invocation, at most:
    uint32_t sweep = 16;  ///< blocks of four values of a row
    uint32_t images = 8;  ///< images, where it has four adjacent elements of each
    /// From so many values on a short row is swept along, not across the images.
    uint32_t swept_row = 256;
    // What one dispatch normalizes, at most:
    uint32_t fused_rows = 0;      ///< rows of a tensor (N, C)
    uint32_t fused_elements = 0;  ///< elements of another tensor
    uint32_t fused_row = 0;       ///< elements of a set that are adjacent, in a tensor of any size

    bool operator==(const Tuning&) const = default;
    /// "loads=buffers stores=vectors workgroup=128 sweep=16 images=8 swept_row=256 fused_rows=0
    /// fused_elements=0 fused_row=0"
    std::string text() const;
};

using Tuner = std::function<Tuning(Device&)>;

/// One tuning that was measured.
struct TuningTrial {
    Tuning tuning;
    double milliseconds;  ///< its best time for two batch normalizations, training forward and backward
};
/// Told every trial, about a dozen. When it returns false measuring ends: the device keeps the table's
/// tuning, and the next one measures anew.
using TuningObserver = std::function<bool(const TuningTrial&)>;

/// Finds the fastest tuning of a device, in a few seconds and with up to 500 MB of its memory, where a file
/// in `folder` does not tell yet, and writes that file: for this device (by its UUID) with this version of
/// its driver. A damaged file is replaced. Makes the folder where it is missing, and throws FileError, before
/// it measures, where the file cannot be written, or is none. A CPU device has the same UUID on every
/// machine: give each machine a folder.
Tuner tuned_in(std::filesystem::path folder, TuningObserver observer = {});

}  // namespace vknorm
