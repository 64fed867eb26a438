// Which part of the data a plot shows: all of it, until the user zooms or drags.
#pragma once

#include "app/ui/scale.hpp"

namespace lab::plot {

/// One axis: either following the data, or where the user put it.
class AxisView {
  public:
    /// The range to show when the data cover `data`.
    Range range(const Range& data, Scale scale) const { return sane(follows_ ? data : chosen_, scale); }
    void fit() { follows_ = true; }
    bool fits() const { return follows_; }
    void set(const Range& range) {
        follows_ = false;
        chosen_ = range;
    }

  private:
    bool follows_ = true;
    Range chosen_;
};

/// `shown` made `factor` times as long, with what lies at `unit` (0 to 1 along the axis) staying there.
Range zoomed(const Range& shown, Scale scale, double factor, double unit);
/// `shown` moved so that what lay at position 0 lies at `unit`.
Range panned(const Range& shown, Scale scale, double unit);
/// `data` with a margin, rounded outward so that small changes of the data do not move the axis. What is
/// constant, but for rounding, lies in the middle.
Range fitted(const Range& data, Scale scale);

}  // namespace lab::plot
