// Timing of recorded work: interleaved rounds, medians, one clock per kind of device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <vknorm/stream.hpp>

namespace vknorm::bench {

/// Of one contestant over all rounds.
struct Times {
    double median_ms = 0, best_ms = 0;
    double spread = 0;  ///< interquartile range over the median
    double cpu_ms =
        0;  ///< median of the process's CPU time, all threads: steadier than the clock on a busy machine
};

/// Something to time. Exactly one of the two members is set.
struct Contestant {
    std::function<void(Recorder&, size_t round)> record;  ///< device work
    std::function<void(size_t round)> run;                ///< host work
};

/// Runs each contestant once per round, all rounds interleaved, after two that warm up. Device work is timed
/// by device timestamps, or by the wall clock from submission to completion on a CPU device (whose timestamps
/// cost more than they tell) and where there are none.
std::vector<Times> race(Device& device, const std::vector<Contestant>& contestants, size_t rounds);

/// memcpy by two threads.
void copy_in_parallel(void* target, const void* source, size_t bytes);

}  // namespace vknorm::bench
