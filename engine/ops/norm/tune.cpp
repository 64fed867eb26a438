#include "ops/norm/tune.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

#include "ops/norm/passes.hpp"
#include "ops/norm/tuning.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

constexpr size_t warm_up_rounds = 2, rounds = 5;
constexpr double clearly_faster = 0.97;

/// Batch normalizations in training, whose times are the device's own, or, on a CPU, those of the wall clock.
class Race {
  public:
    Race(Device& device, const Shapes& shapes)
        : device_(device),
          timestamps_(!device.capabilities().cpu && device.capabilities().timestamp_period_ns > 0),
          stream_(device, {.timestamps = timestamps_}) {
        uint64_t elements = 0, channels = 0, partial_bytes = 0;
        for (const std::vector<uint32_t>& shape : shapes) {
            const Extent& extent =
                extents_.emplace_back(batch_extent("tuning", shape, Layout::channels_first));
            elements = std::max(elements, extent.elements());
            channels = std::max(channels, extent.channels);
            partial_bytes = std::max(partial_bytes, planned(extent, device.tuning()).plan().partial_bytes());
        }
        for (Buffer* tensor : {&x_, &y_, &dy_, &dx_})
            *tensor = Buffer(device, elements * sizeof(float), "tuning: tensor");
        of_channels_ = Buffer(device, 7 * channels * sizeof(float), "tuning: statistics and gradients");
        partials_ = Buffer(device, partial_bytes, "tuning: partials");
        std::vector<float> values(elements);
        for (uint32_t i = 0; float& value : values) value = static_cast<float>(++i * 2654435761u) * 0x1p-32f;
        stream_.upload(x_, values);
        stream_.upload(dy_, values);
    }

    struct Times {
        double milliseconds;  ///< the best
        double relative;      ///< to the first's in the same round: the median
    };
    std::vector<Times> run(const std::vector<Tuning>& tunings) {
        std::vector<std::array<double, rounds>> times(tunings.size());
        for (size_t round = 0; round < warm_up_rounds + rounds; ++round) {
            for (size_t i = 0; i < tunings.size(); ++i) {
                const double time = milliseconds(tunings[i]);
                if (round >= warm_up_rounds) times[i][round - warm_up_rounds] = time;
            }
        }
        std::vector<Times> result;
        for (const auto& each : times) {
            std::array<double, rounds> relative;
            std::ranges::transform(each, times.front(), relative.begin(), std::divides());
            std::ranges::nth_element(relative, relative.begin() + rounds / 2);
            result.push_back({std::ranges::min(each), relative[rounds / 2]});
        }
        return result;
    }

  private:
    NormPasses planned(const Extent& extent, const Tuning& tuning) const {
        PlanLimits limits = limits_of(device_);
        limits.tuning = tuning;
        return {device_, plan_norm("tuning", extent, Storage::float32, limits)};
    }

    void record(Recorder& recorder, const NormPasses& norm) const {
        const NormPlan& plan = norm.plan();
        const uint64_t bytes = plan.tensor_bytes();
        const BufferView x = x_.view(0, bytes), dy = dy_.view(0, bytes);
        const auto of_channels = [&](uint64_t first, uint64_t count = 1) {
            const uint64_t each = plan.channel_bytes();
            return of_channels_.view(first * each, count * each);
        };
        const StatisticsView statistics{.mean = of_channels(0, 2), .deviation = of_channels(2)};
        const BufferView means = of_channels(3, 2);
        const PartialSets partials = partials_of_sets(plan, partials_);
        norm.forward(recorder, {.x = x, .partials = partials_},
                     {.from = partials, .mean = statistics.mean, .inv_std = statistics.deviation},
                     {.x = x, .y = y_.view(0, bytes), .statistics = statistics});
        norm.backward(recorder, {.x = x, .dy = dy, .statistics = statistics, .partials = partials_},
                      {.from = partials,
                       .dgamma = of_channels(5),
                       .dbeta = of_channels(6),
                       .means = means,
                       .values = {.known = plan.extent.values_per_channel()}},
                      {.x = x, .dy = dy, .dx = dx_.view(0, bytes), .statistics = statistics, .means = means});
    }

    double milliseconds(const Tuning& tuning) {
        {
            Recorder& recorder = stream_.record();
            const Label label(recorder, "tuning");
            for (const Extent& extent : extents_) record(recorder, planned(extent, tuning));
        }
        const auto start = std::chrono::steady_clock::now();
        const Ticket ticket = stream_.submit();
        stream_.wait(ticket);
        const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
        return timestamps_ ? stream_.timings(ticket).front().milliseconds : wall.count();
    }

    Device& device_;
    bool timestamps_;
    std::vector<Extent> extents_;
    Buffer x_, y_, dy_, dx_, of_channels_, partials_;
    Stream stream_;  // last, so that it is destroyed first: that waits for what uses the buffers
};

}  // namespace

std::vector<Tuning> variants(const Device& device, const Tuning& tuning, size_t member) {
    std::vector<Tuning> result{tuning};
    const auto add = [&](auto Tuning::*which, auto value) {
        Tuning other = tuning;
        other.*which = value;
        if (other != tuning && complaint(other, device.capabilities()).empty()) result.push_back(other);
    };
    if (member == 0)
        for (const BlockLoads loads : {BlockLoads::buffers, BlockLoads::texels}) add(&Tuning::loads, loads);
    else if (member == 1)
        for (const BlockStores stores : {BlockStores::vectors, BlockStores::wide})
            add(&Tuning::stores, stores);
    else if (member == 2)
        for (const uint32_t workgroup : {64u, 128u, 256u}) add(&Tuning::workgroup, workgroup);
    else if (member == 3)
        for (const uint32_t sweep : {16u, 128u}) add(&Tuning::sweep, sweep);
    else if (member == 4)
        for (const uint32_t images : {4u, 8u, 16u}) add(&Tuning::images, images);
    else
        for (const uint32_t row : {128u, 256u}) add(&Tuning::swept_row, row);
    return result;
}

Shapes measured_shapes(const Capabilities& capabilities) {
    if (capabilities.cpu) return {{16, 64, 56, 56}, {32, 512, 14, 14}};
    return {{64, 128, 56, 56}, {128, 1024, 14, 14}};
}

std::optional<Tuning> fastest_tuning(Device& device, const Shapes& shapes, const TuningObserver& observer) {
    Race race(device, shapes);
    Tuning fastest = device.tuning();
    for (size_t member = 0; member < tuning_members; ++member) {
        const std::vector<Tuning> tunings = variants(device, fastest, member);
        if (tunings.size() == 1) continue;
        const std::vector<Race::Times> times = race.run(tunings);
        for (size_t i = 0; observer && i < tunings.size(); ++i)
            if (!observer({tunings[i], times[i].milliseconds})) return std::nullopt;
        const auto best = std::ranges::min_element(times, {}, &Race::Times::relative);
        if (best->relative >= clearly_faster) continue;
        // Whatever else runs on the machine makes a winner, too, but hardly the same one twice.
        const Tuning& winner = tunings[best - times.begin()];
        if (race.run({fastest, winner}).back().relative < clearly_faster) fastest = winner;
    }
    return fastest;
}

}  // namespace vknorm::detail
