// An exponential moving average without the bias of its beginning: after n values it is their weighted mean,
// the weights falling by the same factor from each to the one before it.
#pragma once

namespace lab {

class MovingAverage {
  public:
    /// `weight` of the newest value in the long run, above 0 and at most 1.
    explicit MovingAverage(double weight) : weight_(weight) {}

    /// Takes in a value and returns the average.
    float add(double value) {
        sum_ += weight_ * (value - sum_);
        missing_ *= 1 - weight_;
        return static_cast<float>(sum_ / (1 - missing_));
    }

  private:
    double weight_, sum_ = 0;
    double missing_ = 1;  // weight of the zero that the sum began with
};

}  // namespace lab
