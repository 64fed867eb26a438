// Measuring a tensor where it is, on the device: histogram, extremes, moments and percentiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <vknorm/stream.hpp>

namespace vknorm {

struct ProbeOptions {
    uint32_t bins = 64;        ///< of the histogram, 1 to 256
    float low = -4, high = 4;  ///< range of the histogram; values outside are counted in the outer bins
    /// One unit, or channel; -1: all of them. Percentiles are exact for a unit of one position, else from the
    /// histogram.
    int32_t unit = -1;
};

/// All but `non_finite` tell of the finite values only, and are NaN when there is none.
struct ProbeResult {
    std::vector<uint32_t> histogram;                         ///< [bins]
    float minimum = 0, maximum = 0, mean = 0, variance = 0;  ///< variance biased
    float percentile15 = 0, percentile50 = 0, percentile85 = 0;
    uint32_t non_finite = 0;  ///< NaN and infinities
};

/// What one probe of those options tells of the rows of all parts, each of which was probed by itself:
/// percentiles are from the histogram. Throws std::invalid_argument for a part with other bins.
ProbeResult merged(std::span<const ProbeResult> parts, const ProbeOptions& options);

/// A plan for tensors [rows, units, positions] of float32: immutable, and shareable between threads. The
/// device leaves parts of a result, which the host adds up; the same bits at every run.
class Probe {
  public:
    /// Throws std::invalid_argument for bins, range or unit out of range, or for more values than one
    /// dispatch can go through; Unsupported when the tensor is too large for this device.
    Probe(Device& device, const ProbeOptions& options, uint32_t rows, uint32_t units, uint32_t positions = 1);

    VkDeviceSize result_bytes() const;

    struct Measure {
        BufferView tensor{};  ///< in, [rows, units, positions]
        BufferView result{};  ///< out, result_bytes()
    };
    /// Records the measurement; allocates no device memory, submits nothing and waits for nothing. Both views
    /// start at multiples of binding_alignment and do not overlap. Throws std::invalid_argument naming the
    /// argument before anything is recorded.
    void measure(Recorder& recorder, const Measure& arguments) const;

    /// What the result_bytes() say that measure() left.
    ProbeResult decode(std::span<const std::byte> result) const;

  private:
    bool of_unit() const { return options_.unit >= 0; }
    bool ranks() const { return of_unit() && positions_ == 1; }
    VkDeviceSize bytes() const { return sizeof(float) * VkDeviceSize{rows_} * units_ * positions_; }

    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    ProbeOptions options_;
    uint32_t rows_, units_, positions_;
    uint32_t elements_, groups_;
};

}  // namespace vknorm
