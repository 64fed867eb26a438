#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

constexpr size_t warm_up_rounds = 2;

Times summarize(const std::vector<Sample>& samples) {
    std::vector<double> times, cpu;
    for (const Sample& sample : samples) {
        times.push_back(sample.milliseconds);
        cpu.push_back(sample.cpu);
    }
    std::ranges::sort(times);
    std::ranges::sort(cpu);
    const auto quantile = [](const std::vector<double>& sorted, double share) {
        return sorted[static_cast<size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
    };
    const double median = quantile(times, 0.5);
    return {median, times.front(), (quantile(times, 0.75) - quantile(times, 0.25)) / median,
            quantile(cpu, 0.5)};
}

}  // namespace

std::vector<Times> race(const std::vector<Contestant>& contestants, size_t rounds) {
    std::vector<std::vector<Sample>> samples(contestants.size());
    for (size_t round = 0; round < warm_up_rounds + rounds; ++round) {
        for (size_t i = 0; i < contestants.size(); ++i) {
            const Sample sample = contestants[i]();
            if (round >= warm_up_rounds) samples[i].push_back(sample);
        }
    }
    std::vector<Times> times(samples.size());
    std::ranges::transform(samples, times.begin(), summarize);
    return times;
}

DeviceClock::DeviceClock(Device& device)
    : timestamps_(device.info().type != VK_PHYSICAL_DEVICE_TYPE_CPU &&
                  device.capabilities().timestamp_period_ns > 0),
      stream_(device, {.timestamps = timestamps_}) {}

Sample DeviceClock::time(const std::function<void(Recorder&)>& record) {
    {
        Recorder& recorder = stream_.record();
        const detail::Label label(recorder, "race");
        record(recorder);
    }
    Ticket ticket = 0;
    Sample sample = time_on_host([&] {
        ticket = stream_.submit();
        stream_.wait(ticket);
    });
    if (timestamps_) {
        for (const Timing& timing : stream_.timings(ticket)) {
            if (timing.label == "race") sample.milliseconds = timing.milliseconds;
        }
    }
    return sample;
}

Sample time_on_host(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    work();
    const std::clock_t cpu = std::clock() - cpu_start;
    return {std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count(),
            1e3 * static_cast<double>(cpu) / CLOCKS_PER_SEC};
}

size_t copy_threads(size_t bytes) {
    return std::clamp<size_t>(bytes >> 18, 1, std::max(1u, std::thread::hardware_concurrency()));
}

void copy_in_parallel(void* target, const void* source, size_t bytes) {
    const size_t threads = copy_threads(bytes), each = bytes / threads;
    const auto copy = [&](size_t thread) {
        const size_t begin = thread * each;
        std::memcpy(static_cast<char*>(target) + begin, static_cast<const char*>(source) + begin,
                    thread + 1 == threads ? bytes - begin : each);
    };
    std::vector<std::thread> others;
    for (size_t thread = 1; thread < threads; ++thread) others.emplace_back(copy, thread);
    copy(0);
    for (std::thread& other : others) other.join();
}

std::string contention(const Times& copy, size_t threads) {
    constexpr double largest_spread = 0.25, least_share = 0.85;
    char text[160] = "";
    const double cpus = copy.cpu_ms / copy.median_ms;
    if (copy.spread > largest_spread)
        std::snprintf(text, sizeof text, "the time of a large copy spread by %.0f %%", 100 * copy.spread);
    else if (cpus < least_share * static_cast<double>(threads))
        std::snprintf(text, sizeof text, "the %zu threads of a large copy got %.2f CPUs", threads, cpus);
    return text;
}

}  // namespace vknorm::bench
