// What all normalizations share.
//
// Results have the same bits from run to run, for every workgroup and subgroup size and, as long as no tensor
// exceeds Capabilities::max_storage_buffer_range, in both layouts. Means and squares are made of additions,
// multiplications and divisions only: they have the same bits on all CPU devices, which divide correctly
// rounded.
#pragma once

#include <cstdint>

namespace vknorm {

enum class Layout {
    channels_first,  ///< (N, C), (N, C, L), (N, C, H, W), (N, C, D, H, W)
    channels_last,   ///< (N, C), (N, L, C), (N, H, W, C), (N, D, H, W, C)
};

/// The type of the elements of a tensor: of x, y, residual and their gradients. Statistics, parameters, their
/// gradients and every sum are float32; a result is rounded to the nearest, ties to even. The 16-bit types
/// need a device with 16-bit storage buffers (Capabilities::storage_16_bit): plans throw Unsupported
/// elsewhere.
enum class Storage { float32, float16, bfloat16 };

/// Bytes of an element.
constexpr uint32_t storage_bytes(Storage storage) {
    return storage == Storage::float32 ? 4 : 2;
}

}  // namespace vknorm
