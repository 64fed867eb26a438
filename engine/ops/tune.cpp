#include "ops/tune.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "ops/norm_operation.hpp"
#include "vulkan/dispatch.hpp"
#include "vulkan/tuning.hpp"

namespace vknorm::detail {

namespace {

constexpr size_t warm_up_rounds = 2, rounds = 5;
constexpr double clearly_faster = 0.97;

bool is_cpu(const DeviceInfo& info) {
    return info.type == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

/// A batch normalization in training, whose times are the device's own, or, on a CPU, those of the wall
/// clock.
class Race {
  public:
    Race(Device& device, const std::vector<uint32_t>& shape)
        : device_(device),
          timestamps_(!is_cpu(device.info()) && device.capabilities().timestamp_period_ns > 0),
          stream_(device, {.timestamps = timestamps_}),
          extent_(batch_extent("tuning", shape, false)),
          x_(tensor("x")),
          y_(tensor("y")),
          dy_(tensor("dy")),
          dx_(tensor("dx")),
          of_channels_(device, 7 * channel_bytes(), "tuning: statistics and gradients of channels"),
          partials_(device, plan(device.tuning()).partial_bytes(), "tuning: partials") {
        std::vector<float> values(extent_.elements());
        for (uint32_t i = 0; float& value : values) value = static_cast<float>(++i * 2654435761u) * 0x1p-32f;
        stream_.upload(x_, values);
        stream_.upload(dy_, values);
    }

    /// The best time of each, in milliseconds.
    std::vector<double> run(const std::vector<Tuning>& tunings) {
        std::vector<double> best(tunings.size(), std::numeric_limits<double>::infinity());
        for (size_t round = 0; round < warm_up_rounds + rounds; ++round) {
            for (size_t i = 0; i < tunings.size(); ++i) {
                const double time = milliseconds(tunings[i]);
                if (round >= warm_up_rounds) best[i] = std::min(best[i], time);
            }
        }
        return best;
    }

  private:
    Buffer tensor(const char* name) {
        return {device_, extent_.elements() * sizeof(float), std::string("tuning: ") + name};
    }
    uint64_t channel_bytes() const { return extent_.channels * sizeof(float); }
    BufferView of_channels(uint64_t first, uint64_t count = 1) const {
        return of_channels_.view(first * channel_bytes(), count * channel_bytes());
    }

    NormPlan plan(const Tuning& tuning) const {
        PlanLimits limits = limits_of(device_);
        limits.tuning = tuning;
        return plan_norm("tuning", extent_, sizeof(float), limits);
    }

    void record(Recorder& recorder, const NormPlan& plan) const {
        const Statistics statistics{.mean = of_channels(0, 2), .deviation = of_channels(2)};
        const BufferView means = of_channels(3, 2);
        const PartialSets partials = partials_of_sets(plan, 1, partials_);
        detail::record(
            recorder, plan, {}, StatisticsPass{.x = x_, .partials = partials_},
            FinalizePass{.from = partials, .mean = statistics.mean, .inv_std = statistics.deviation},
            ApplyPass{.x = x_, .y = y_, .statistics = statistics});
        detail::record(
            recorder, plan, {},
            BackwardSumsPass{.x = x_, .dy = dy_, .statistics = statistics, .partials = partials_},
            BackwardFinalizePass{.from = partials,
                                 .dgamma = of_channels(5),
                                 .dbeta = of_channels(6),
                                 .means = means,
                                 .values = {.known = extent_.values_per_line()}},
            BackwardApplyPass{.x = x_, .dy = dy_, .dx = dx_, .statistics = statistics, .means = means});
    }

    double milliseconds(const Tuning& tuning) {
        {
            Recorder& recorder = stream_.record();
            const Label label(recorder, "tuning");
            record(recorder, plan(tuning));
        }
        const auto start = std::chrono::steady_clock::now();
        const Ticket ticket = stream_.submit();
        stream_.wait(ticket);
        const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - start;
        return timestamps_ ? stream_.timings(ticket).front().milliseconds : wall.count();
    }

    Device& device_;
    bool timestamps_;
    Stream stream_;
    Extent extent_;
    Buffer x_, y_, dy_, dx_, of_channels_, partials_;
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
        for (const BlockAccess blocks : {BlockAccess::vectors, BlockAccess::texels, BlockAccess::texels_wide})
            add(&Tuning::blocks, blocks);
    else if (member == 1)
        for (const uint32_t workgroup : {32u, 64u, 128u, 256u}) add(&Tuning::workgroup, workgroup);
    else
        for (const uint32_t sweep : {tuning.sweep / 4, tuning.sweep * 4, tuning.sweep * 16})
            add(&Tuning::sweep, sweep);
    return result;
}

std::vector<uint32_t> measured_shape(const DeviceInfo& info) {
    return is_cpu(info) ? std::vector<uint32_t>{32, 64, 56, 56} : std::vector<uint32_t>{64, 128, 56, 56};
}

std::optional<Tuning> fastest_tuning(Device& device, const std::vector<uint32_t>& shape,
                                     const TuningObserver& observer) {
    Race race(device, shape);
    Tuning fastest = device.tuning();
    for (size_t member = 0; member < tuning_members; ++member) {
        const std::vector<Tuning> tunings = variants(device, fastest, member);
        if (tunings.size() == 1) continue;
        const std::vector<double> times = race.run(tunings);
        for (size_t i = 0; observer && i < tunings.size(); ++i)
            if (!observer({tunings[i], times[i]})) return std::nullopt;
        const auto best = std::ranges::min_element(times);
        if (*best < clearly_faster * times.front()) fastest = tunings[best - times.begin()];
    }
    return fastest;
}

}  // namespace vknorm::detail
