#include "ops/probe.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "ops/arguments.hpp"
#include "ops/launch.hpp"
#include "shaders/network.h"

namespace vknorm::detail {

namespace {

constexpr uint32_t workgroup = 64;
constexpr uint32_t values_an_invocation = 64;  // and more workgroups beyond, but not more than pay off
constexpr uint32_t most_groups = 16;

constexpr std::array<uint32_t, 3> percents = {15, 50, 85};

/// Linear within the bin where the percentile falls.
double percentile(const ProbeResult& probe, double low, double width, uint64_t finite, uint32_t percent) {
    const double target = static_cast<double>(finite) * percent / 100;
    double below = 0;
    for (size_t bin = 0; bin < probe.histogram.size(); ++bin) {
        const double count = probe.histogram[bin];
        if (count > 0 && below + count >= target) {
            const double value = low + width * (static_cast<double>(bin) + (target - below) / count);
            return std::clamp(value, double{probe.minimum}, double{probe.maximum});
        }
        below += count;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Probe::Probe(const Capabilities& capabilities, const ProbeOptions& options, uint32_t rows, uint32_t units)
    : options_(options) {
    if (options.bins < 1 || options.bins > VKNORM_PROBE_BINS)
        refuse("probe", "bins", std::to_string(options.bins), "1 to " + std::to_string(VKNORM_PROBE_BINS));
    if (!(options.low < options.high) || !std::isfinite(options.high - options.low))
        refuse("probe", "low and high", std::to_string(options.low) + " and " + std::to_string(options.high),
               "finite numbers, low below high");
    if (options.unit < -1 || options.unit >= static_cast<int64_t>(units))
        refuse("probe", "unit", std::to_string(options.unit), "-1 to " + std::to_string(int64_t{units} - 1));

    elements_ = ranked() ? rows : rows * units;
    first_ = ranked() ? static_cast<uint32_t>(options.unit) : 0;
    stride_ = ranked() ? units : 1;
    const uint32_t values = ranked() ? 1 : values_an_invocation;
    groups_ = ceil_div(elements_, workgroup * values);
    groups_ = std::clamp(groups_, 1u, std::min(most_groups, capabilities.max_workgroups));
    const uint64_t turns = ceil_div(elements_, workgroup * groups_);
    const uint64_t trips = turns * (ranked() ? elements_ + 4 : 1) + VKNORM_PROBE_BINS;
    if (trips > maximum_trips)
        refuse("probe", "loop trips", std::to_string(trips), "at most " + std::to_string(maximum_trips));
}

VkDeviceSize Probe::result_bytes() const {
    return 4 * (VKNORM_PROBE_HEADER + VkDeviceSize{groups_} * (VKNORM_PROBE_PART + options_.bins));
}

void Probe::record(Recorder& recorder, const BufferView& tensor, const BufferView& result) const {
    const uint32_t constants[] = {workgroup, ranked()};
    const float span = options_.high - options_.low;
    dispatch(recorder, {shaders::probe, constants}, {read(tensor), write(result)},
             shaders::Probe{.elements = elements_,
                            .first = first_,
                            .stride = stride_,
                            .bins = options_.bins,
                            .low = options_.low,
                            .bins_per_unit = static_cast<float>(options_.bins) / span},
             {groups_});
}

ProbeResult Probe::decode(std::span<const std::byte> result) const {
    std::vector<uint32_t> words(result_bytes() / 4);
    std::memcpy(words.data(), result.data(), result_bytes());
    const auto number = [&](size_t word) { return std::bit_cast<float>(words[word]); };

    ProbeResult probe;
    probe.histogram.resize(options_.bins);
    probe.minimum = std::numeric_limits<float>::max();
    probe.maximum = std::numeric_limits<float>::lowest();
    uint64_t finite = 0;
    double sum = 0, squares = 0;
    for (size_t part = VKNORM_PROBE_HEADER; part < words.size(); part += VKNORM_PROBE_PART + options_.bins) {
        finite += words[part];
        probe.non_finite += words[part + 1];
        probe.minimum = std::min(probe.minimum, number(part + 2));
        probe.maximum = std::max(probe.maximum, number(part + 3));
        sum += number(part + 4);
        squares += number(part + 5);
        for (uint32_t bin = 0; bin < options_.bins; ++bin)
            probe.histogram[bin] += words[part + VKNORM_PROBE_PART + bin];
    }
    if (finite == 0) {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        probe.minimum = probe.maximum = probe.mean = probe.variance = nan;
        probe.percentile15 = probe.percentile50 = probe.percentile85 = nan;
        return probe;
    }
    const double count = static_cast<double>(finite), shifted_mean = sum / count;
    probe.mean = static_cast<float>(number(0) + shifted_mean);
    probe.variance = static_cast<float>(std::max(0.0, squares / count - shifted_mean * shifted_mean));

    const double width = (double{options_.high} - double{options_.low}) / options_.bins;
    std::array<float, 3> values{};
    for (size_t i = 0; i < percents.size(); ++i) {
        const double rest = static_cast<double>((finite - 1) * percents[i] % 100) / 100;
        const double lower = number(1 + 2 * i), upper = number(2 + 2 * i);
        values[i] =
            static_cast<float>(ranked() ? lower + (upper - lower) * rest
                                        : percentile(probe, options_.low, width, finite, percents[i]));
    }
    probe.percentile15 = values[0];
    probe.percentile50 = values[1];
    probe.percentile85 = values[2];
    return probe;
}

}  // namespace vknorm::detail
