// Histograms that the device makes: how a range is asked for, and what comes back. And those of the tensors
// of one layer, whose ranges follow the data.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/snapshot.hpp"

namespace lab {

/// So many bins of equal width from `low` to `high`, and one bin more on either side, for what lies beyond.
vknorm::ProbeOptions histogram_probe(uint32_t bins, float low, float high);
/// What such a probe found.
Histogram histogram_of(const vknorm::ProbeResult& probe, float low, float high);

struct ValueRange {
    double low, high;

    double length() const { return high - low; }
};

/// Of one layer of a network.
class TensorProbes {
  public:
    static constexpr uint32_t bins = 128;

    explicit TensorProbes(const MeasuredLayer& layer);

    /// The node whose tensors these are.
    const std::string& layer() const { return layer_; }
    std::vector<vknorm::NetworkProbe> probes() const;
    LayerDistributions read(const vknorm::StepResult& result) const;
    /// Ranges for the next step; returns whether one of them is another than before.
    bool follow(const LayerDistributions& seen);

  private:
    struct Probed {
        std::string node;
        vknorm::Tensor tensor;
        std::vector<ValueRange> ranges;  ///< each has a probe; of all sizes until the first step is known
    };
    static std::string probe_name(size_t tensor, size_t range);
    std::string layer_;
    std::array<std::optional<Probed>, layer_tensor_count> tensors_;
};

}  // namespace lab
