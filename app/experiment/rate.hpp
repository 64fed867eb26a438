// How many a second: a count over the latest half second or so of work.
#pragma once

#include <chrono>
#include <cstdint>

namespace lab {

class Rate {
  public:
    using Clock = std::chrono::steady_clock;

    /// Forgets what was counted: work begins now.
    void begin(Clock::time_point now) {
        since_ = now;
        count_ = 0;
        per_second_ = 0;
    }

    void add(uint64_t count, Clock::time_point now) {
        count_ += count;
        const double seconds = std::chrono::duration<double>(now - since_).count();
        // Until the first window is full, what there is of it.
        if (seconds > 0 && (per_second_ == 0 || seconds >= 0.5))
            per_second_ = static_cast<double>(count_) / seconds;
        if (seconds >= 0.5) since_ = now, count_ = 0;
    }

    double per_second() const { return per_second_; }

  private:
    Clock::time_point since_{};
    uint64_t count_ = 0;
    double per_second_ = 0;
};

}  // namespace lab
