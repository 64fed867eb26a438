#include "bench_measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>

#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

constexpr size_t warm_up_rounds = 2;

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

struct Sample {
    double milliseconds, cpu;
};

template <class Work>
Sample time_of(Work work) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    work();
    const std::clock_t cpu = std::clock() - cpu_start;
    return {milliseconds_since(start), 1e3 * static_cast<double>(cpu) / CLOCKS_PER_SEC};
}

Sample time_of(Stream& stream, bool timestamps, const Contestant& contestant, size_t round) {
    if (contestant.run) return time_of([&] { contestant.run(round); });
    {
        Recorder& recorder = stream.record();
        const detail::Label label(recorder, "race");
        contestant.record(recorder, round);
    }
    Ticket ticket = 0;
    Sample sample = time_of([&] {
        ticket = stream.submit();
        stream.wait(ticket);
    });
    if (timestamps) {
        for (const Timing& timing : stream.timings(ticket)) {
            if (timing.label == "race") sample.milliseconds = timing.milliseconds;
        }
    }
    return sample;
}

Times summarize(const std::vector<Sample>& samples) {
    std::vector<double> times, cpu;
    for (const Sample& sample : samples) {
        times.push_back(sample.milliseconds);
        cpu.push_back(sample.cpu);
    }
    std::ranges::sort(times);
    std::ranges::sort(cpu);
    const auto quantile = [](const std::vector<double>& sorted, double share) {
        return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
    };
    const double median = quantile(times, 0.5);
    return {median, times.front(), (quantile(times, 0.75) - quantile(times, 0.25)) / median,
            quantile(cpu, 0.5)};
}

}  // namespace

std::vector<Times> race(Device& device, const std::vector<Contestant>& contestants, size_t rounds) {
    const bool timestamps = device.info().type != VK_PHYSICAL_DEVICE_TYPE_CPU;
    Stream stream(device, {.timestamps = timestamps});
    std::vector<std::vector<Sample>> samples(contestants.size());
    for (size_t round = 0; round < warm_up_rounds + rounds; ++round) {
        for (size_t i = 0; i < contestants.size(); ++i) {
            const Sample sample = time_of(stream, timestamps, contestants[i], round);
            if (round >= warm_up_rounds) samples[i].push_back(sample);
        }
    }
    std::vector<Times> times;
    for (const std::vector<Sample>& each : samples) times.push_back(summarize(each));
    return times;
}

void copy_in_parallel(void* target, const void* source, size_t bytes) {
    const size_t half = bytes / 2;
    std::thread other([&] { std::memcpy(target, source, half); });
    std::memcpy(static_cast<char*>(target) + half, static_cast<const char*>(source) + half, bytes - half);
    other.join();
}

}  // namespace vknorm::bench
