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
        state_.sum += weight_ * (value - state_.sum);
        state_.missing *= 1 - weight_;
        return static_cast<float>(state_.sum / (1 - state_.missing));
    }

    /// All that the next averages depend on.
    struct State {
        double sum = 0;
        double missing = 1;  ///< weight of the zero that the sum began with
    };
    const State& state() const { return state_; }
    void set_state(const State& state) { state_ = state; }

  private:
    double weight_;
    State state_;
};

}  // namespace lab
