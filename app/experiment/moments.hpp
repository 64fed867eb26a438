// What a run looked like at earlier steps, to go back to: at most so many, evenly over its steps.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// A moment is the Snapshot of its step without what a later one has, too: curves and events. Of curves that
/// a read-out tells the latest value of, test and unit, that one entry is there. The first one in each
/// stretch of steps is kept; when there are too many, or they take too much memory, stretches get twice as
/// long.
class Moments {
  public:
    static constexpr size_t most = 64;
    static constexpr size_t most_bytes = size_t{48} << 20;
    using Kept = std::vector<std::shared_ptr<const Snapshot>>;

    /// Keeps `run` as it is now if it is the first in its stretch; in place of the last one, if that is of
    /// the same step.
    void add(const Snapshot& run);

    /// In the order of their steps.
    const Kept& kept() const { return kept_; }
    /// What they take: of all that is copied, what can be large.
    size_t bytes() const { return bytes_; }

  private:
    uint64_t stretch(const Snapshot& run) const { return (run.step - 1) / length_; }
    void keep(std::shared_ptr<const Snapshot> moment);
    void thin_out();

    Kept kept_;
    uint64_t length_ = 1;  // of a stretch, in steps
    size_t bytes_ = 0;
};

/// Whether the moment has what those settings inspect: not maps of another channel.
bool shows_inspected(const Snapshot& moment, const Settings& settings);

}  // namespace lab
