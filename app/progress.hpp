// The line about a run that is under way.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "app/experiment/evaluation_schedule.hpp"
#include "app/experiment/snapshot.hpp"

namespace lab {

/// How long the steps that are left will take, from those made: most of them, and those with an evaluation.
class TimeLeft {
  public:
    explicit TimeLeft(const EvaluationSchedule& evaluations) : evaluations_(evaluations) {}

    /// Step number `step` took so long.
    void add(uint64_t step, double seconds);
    /// From `step` to `steps`; negative: too early to tell.
    double seconds(uint64_t step, uint64_t steps) const;

  private:
    struct Mean {
        double seconds = 0;
        uint64_t count = 0;
    };
    EvaluationSchedule evaluations_;
    Mean plain_, evaluated_;
};

/// Step, losses, accuracies, speed and the time left for `steps` steps in all; unknown figures are left out.
std::string progress_line(const Snapshot& run, uint64_t steps, double seconds_left);

/// Shows the line on stderr: in place on a terminal, else a new one every few seconds.
class Progress {
  public:
    using Clock = std::chrono::steady_clock;

    Progress();
    /// Whether it is time for another line.
    bool due() const;
    void show(const std::string& line);
    /// Ends a line that was shown in place.
    void finish();

  private:
    bool terminal_;
    Clock::time_point shown_at_{};  // long ago: the first line is due at once
};

}  // namespace lab
