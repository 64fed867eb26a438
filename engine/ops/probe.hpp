// Measures a tensor on the device: histogram, extremes, mean, variance, percentiles. The kernel leaves parts
// that the host adds up.
#pragma once

#include <span>

#include <vknorm/network.hpp>

namespace vknorm::detail {

/// One probe of a [rows, units] tensor. With a unit, of that column only.
class Probe {
  public:
    /// Throws std::invalid_argument for bins, range or unit out of range, or a column too long to rank.
    Probe(const Capabilities& capabilities, const ProbeOptions& options, uint32_t rows, uint32_t units);

    VkDeviceSize result_bytes() const;
    /// Both views start at multiples of 256 bytes.
    void record(Recorder& recorder, const BufferView& tensor, const BufferView& result) const;
    ProbeResult decode(std::span<const std::byte> result) const;

  private:
    bool ranked() const { return options_.unit >= 0; }

    ProbeOptions options_;
    uint32_t elements_, first_, stride_;
    uint32_t groups_;
};

}  // namespace vknorm::detail
