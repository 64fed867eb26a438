// Timing: interleaved rounds, medians, one clock per kind of device.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <vknorm/stream.hpp>

namespace vknorm::bench {

struct Sample {
    double milliseconds;
    double cpu;  ///< milliseconds of the process's CPU time, all threads
};

/// Of one contestant over all rounds.
struct Times {
    double median_ms = 0, best_ms = 0;
    double spread = 0;  ///< interquartile range over the median
    double cpu_ms = 0;  ///< median of the CPU time: steadier than the clock on a busy machine
};

/// Does its work once.
using Contestant = std::function<Sample()>;

/// Runs each contestant once per round, all of them interleaved, after two rounds that warm up.
std::vector<Times> race(const std::vector<Contestant>& contestants, size_t rounds);

/// Times device work by device timestamps, or by the wall clock from submission to completion on a CPU device
/// (whose timestamps cost more than they tell).
class DeviceClock {
  public:
    explicit DeviceClock(Device& device);
    Sample time(const std::function<void(Recorder&)>& record);

  private:
    bool timestamps_;
    Stream stream_;
};

Sample time_on_host(const std::function<void()>& work);

/// memcpy by as many threads as copy_threads() says.
void copy_in_parallel(void* target, const void* source, size_t bytes);
/// The machine's; fewer for so few bytes that starting them would take longer.
size_t copy_threads(size_t bytes);

/// Why a large copy with these times, by that many threads (0: by a GPU), shows that others were using the
/// machine; empty when it does not.
std::string contention(const Times& copy, size_t threads);

}  // namespace vknorm::bench
