// The tensors that the benchmark works on: many of each kind, so that none is still in a cache when its turn
// comes again.
#pragma once

#include <span>
#include <vector>

#include <vknorm/normalization.hpp>
#include <vknorm/stream.hpp>

namespace vknorm::bench {

/// Of one operation at a time; `out` for y, dx or a copy.
struct Tensors {
    BufferView x, dy, residual, out, dresidual;
    std::byte *host_x, *host_out;  ///< x and out as the host sees them; null where it does not
};

/// Numbers as tensors of that type hold them, rounded to it, and back.
std::vector<std::byte> stored(std::span<const float> values, Storage storage);
std::vector<float> loaded(std::span<const std::byte> bytes, Storage storage);

/// What a copy of so many bytes takes tells how quiet the machine is: every pool has tensors for one.
constexpr VkDeviceSize large_copy = 64u << 20;

class Pool {
  public:
    /// How many bytes of x are touched before a tensor is used again: more than a cache holds of x and out.
    static VkDeviceSize rotation_bytes(const Device& device);

    /// For tensors of up to `largest` bytes; `resident` gives always the same ones, which may stay in a
    /// cache.
    Pool(Device& device, VkDeviceSize largest, bool resident, bool with_residuals, Storage storage);

    /// Of `bytes` each: the next ones in turn.
    Tensors next(VkDeviceSize bytes);
    /// Those whose contents first_values() gives.
    Tensors first(VkDeviceSize bytes) const { return at(0, bytes); }

    /// rotation_bytes(), or 0 where tensors may stay in a cache.
    VkDeviceSize rotation() const { return rotation_; }

    enum Content { x, dy, residual };
    /// What the first tensor holds.
    static std::vector<float> first_values(Content content, size_t count, Storage storage = Storage::float32);

  private:
    Tensors at(VkDeviceSize offset, VkDeviceSize bytes) const;

    VkDeviceSize rotation_, bytes_;
    size_t turn_ = 0;
    Buffer x_, dy_, residual_, out_, dresidual_;
};

}  // namespace vknorm::bench
