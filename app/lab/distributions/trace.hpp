// The distributions of the tensors of one twin's inspected layer over a run, and where they stand in a
// Snapshot.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/plot/ridgeline.hpp"

namespace lab {

/// Those of the steps that are kept, and of the latest one measured.
class DistributionTrace {
  public:
    /// `run` must outlive it.
    DistributionTrace(const Snapshot& run, size_t twin);

    size_t size() const { return kept_->size() + (latest_ ? 1 : 0); }
    bool empty() const { return size() == 0; }
    uint64_t step(size_t index) const;
    const Distribution& at(size_t index, LayerTensor tensor) const;
    /// Of the step, or of the one nearest to it.
    size_t index_at(double step) const;
    /// Whether the layer has that tensor.
    bool has(LayerTensor tensor) const { return !empty() && at(size() - 1, tensor).there(); }
    /// First and last of the steps of each stretch that was not measured. Where several steps are one entry,
    /// a stretch among them is told behind them.
    std::span<const plot::Range> unmeasured() const { return unmeasured_; }

    /// At most so many between the ends of the axis of steps, evenly, the newest always, and the stretches
    /// between them that were not measured, but for those too short to be told apart.
    std::vector<plot::Ridge> ridges(LayerTensor tensor, const plot::Range& steps, size_t most) const;
    /// A curve of the tensor's percentile, of told_percents; what was not measured is a gap.
    std::vector<plot::Point> percentile(LayerTensor tensor, size_t which) const;
    /// Where most of its values lie in the newest of those steps, and in all but a few: one gradient that is
    /// large at first is no reason to make a line of all others.
    plot::Range values(LayerTensor tensor, const plot::Range& steps) const;

  private:
    void find_unmeasured(uint64_t last_step);

    const History<LayerDistributions>* kept_;
    const TwinView::MeasuredTensors* latest_ = nullptr;  // if it is not kept
    std::vector<plot::Range> unmeasured_;
};

}  // namespace lab
