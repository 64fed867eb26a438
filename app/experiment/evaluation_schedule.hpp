// When the test set is evaluated: at steps that depend on nothing but the settings and their number, so that
// a run has the same curves with and without a window, on a fast machine and on a slow one.
#pragma once

#include <cstdint>

#include "app/experiment/settings.hpp"

namespace lab {

/// Every 5 steps up to step 100, every 10 up to 200, every 20 up to 500, every 50 up to 1000, and so on: a
/// tenth of the steps made, rounded down to 1, 2 or 5 times a power of ten. Step 0 is the untrained network.
class EvaluationSchedule {
  public:
    /// Models for pictures, to which a test set is as much work as many steps, are evaluated from step 50 on,
    /// and every 50 steps up to step 1000.
    explicit EvaluationSchedule(const Settings& settings);

    bool due(uint64_t step) const;
    /// The first such step after `step`.
    uint64_t next(uint64_t step) const;

  private:
    uint64_t interval(uint64_t step) const;

    bool untrained_;  // at step 0, too
    uint64_t shortest_;
};

}  // namespace lab
