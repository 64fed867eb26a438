#include "vknorm/probe.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "ops/arguments.hpp"
#include "ops/sizes.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using namespace detail;

namespace {

constexpr uint32_t workgroup = 64;
constexpr uint32_t values_an_invocation = 64;  // and more workgroups beyond, but not more than pay off
constexpr uint32_t most_groups = 16;

constexpr std::array<uint32_t, 3> percents = {15, 50, 85};

/// Linear within the bin where the percentile falls.
double percentile(const ProbeResult& probe, const ProbeOptions& options, uint64_t finite, uint32_t percent) {
    const double low = options.low, width = (double{options.high} - low) / options.bins;
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

uint32_t groups_for(uint32_t elements, bool ranks, uint32_t most) {
    const uint32_t values = ranks ? 1 : values_an_invocation;
    return std::clamp(ceil_div(elements, workgroup * values), 1u, most);
}

/// Of an invocation's loops. One that ranks compares each of its values with all others.
uint64_t trips(uint32_t elements, bool ranks, uint32_t groups) {
    const uint64_t turns = ceil_div(elements, workgroup * groups);
    return turns * (ranks ? elements + 4ull : 1) + shaders::probe_most_bins;
}

/// The kernel multiplies differences from `low` by the number of bins in a unit, in float32: that, what a bin
/// is wide and the whole range are to be normal numbers.
void check_range(const ProbeOptions& options) {
    const auto text = [](double number) {
        std::array<char, 32> digits{};
        std::snprintf(digits.data(), digits.size(), "%.9g", number);
        return std::string(digits.data());
    };
    using Limits = std::numeric_limits<float>;
    const double bins = options.bins, low = options.low, high = options.high;
    const double least = bins * Limits::min(), most = std::min(double{Limits::max()}, bins / Limits::min());
    if (std::isfinite(low) && std::isfinite(high) && high - low >= least && high - low <= most) return;
    refuse("probe", "low and high", text(low) + " and " + text(high),
           "finite numbers, high above low by " + text(least) + " to " + text(most));
}

/// Of no finite value.
void tell_nothing(ProbeResult& probe) {
    for (float ProbeResult::*const number :
         {&ProbeResult::minimum, &ProbeResult::maximum, &ProbeResult::mean, &ProbeResult::variance,
          &ProbeResult::percentile15, &ProbeResult::percentile50, &ProbeResult::percentile85})
        probe.*number = std::numeric_limits<float>::quiet_NaN();
}

void set_percentiles(ProbeResult& probe, const std::array<float, 3>& values) {
    probe.percentile15 = values[0];
    probe.percentile50 = values[1];
    probe.percentile85 = values[2];
}

}  // namespace

ProbeResult merged(std::span<const ProbeResult> parts, const ProbeOptions& options) {
    ProbeResult all;
    all.histogram.resize(options.bins);
    all.minimum = std::numeric_limits<float>::max();
    all.maximum = std::numeric_limits<float>::lowest();
    uint64_t finite = 0;
    double mean = 0, squares = 0;  // about it
    for (const ProbeResult& part : parts) {
        if (part.histogram.size() != options.bins)
            refuse("merged", "parts", std::to_string(part.histogram.size()) + " bins",
                   std::to_string(options.bins));
        all.non_finite += part.non_finite;
        const uint64_t own = std::accumulate(part.histogram.begin(), part.histogram.end(), uint64_t{0});
        if (own == 0) continue;
        std::transform(part.histogram.begin(), part.histogram.end(), all.histogram.begin(),
                       all.histogram.begin(), std::plus<>());
        all.minimum = std::min(all.minimum, part.minimum);
        all.maximum = std::max(all.maximum, part.maximum);
        const auto before = static_cast<double>(finite), count = static_cast<double>(own);
        finite += own;
        const double sum = before + count, apart = double{part.mean} - mean;
        squares += count * double{part.variance} + apart * apart * before * count / sum;
        mean += apart * count / sum;
    }
    if (finite == 0) {
        tell_nothing(all);
        return all;
    }
    all.mean = static_cast<float>(mean);
    all.variance = static_cast<float>(squares / static_cast<double>(finite));
    std::array<float, 3> values{};
    for (size_t i = 0; i < percents.size(); ++i)
        values[i] = static_cast<float>(percentile(all, options, finite, percents[i]));
    set_percentiles(all, values);
    return all;
}

Probe::Probe(Device& device, const ProbeOptions& options, uint32_t rows, uint32_t units, uint32_t positions)
    : device_("Probe", device.state().shared_from_this()),
      options_(options),
      rows_(rows),
      units_(units),
      positions_(positions) {
    require_positive("probe", "rows", rows);
    require_positive("probe", "units", units);
    require_positive("probe", "positions", positions);
    if (options.bins < 1 || options.bins > shaders::probe_most_bins)
        refuse("probe", "bins", std::to_string(options.bins),
               "1 to " + std::to_string(shaders::probe_most_bins));
    check_range(options);
    if (options.unit < -1 || options.unit >= static_cast<int64_t>(units))
        refuse("probe", "unit", std::to_string(options.unit), "-1 to " + std::to_string(int64_t{units} - 1));
    require_range(device.capabilities(), "probe: tensor", bytes());

    const uint32_t most = std::min(most_groups, device.capabilities().max_workgroups);
    elements_ = rows * positions * (of_unit() ? 1 : units);
    groups_ = groups_for(elements_, ranks(), most);
    uint32_t possible = elements_;
    while (trips(possible, ranks(), groups_) > maximum_trips)
        possible = std::min(possible - 1, round_down(possible - 1, workgroup));
    if (possible < elements_)
        refuse("probe",
               std::string("rows") + (of_unit() ? "" : " * units") + (positions == 1 ? "" : " * positions"),
               std::to_string(elements_), "at most " + std::to_string(possible));
}

VkDeviceSize Probe::result_bytes() const {
    return sizeof(uint32_t) *
           (shaders::probe_header + VkDeviceSize{groups_} * (shaders::probe_part + options_.bins));
}

void Probe::measure(Recorder& recorder, const Measure& arguments) const {
    Arguments check("probe.measure", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView tensor = check.input("tensor", arguments.tensor, bytes());
    const BufferView result = check.output("result", arguments.result, result_bytes());
    check.check_overlap();

    const uint32_t constants[] = {workgroup, ranks(), of_unit()};
    const float span = options_.high - options_.low;
    dispatch(recorder, {shaders::probe, constants}, {read(tensor), write(result)},
             shaders::Probe{.elements = elements_,
                            .first = of_unit() ? positions_ * static_cast<uint32_t>(options_.unit) : 0,
                            .stride = units_ * positions_,
                            .positions = positions_,
                            .bins = options_.bins,
                            .low = options_.low,
                            .bins_per_unit = static_cast<float>(options_.bins) / span},
             {groups_});
}

ProbeResult Probe::decode(std::span<const std::byte> result) const {
    if (result.size() < result_bytes())
        refuse("probe.decode", "result", std::to_string(result.size()) + " bytes",
               std::to_string(result_bytes()));
    std::vector<uint32_t> words(result_bytes() / 4);
    std::memcpy(words.data(), result.data(), result_bytes());
    const auto number = [&](size_t word) { return std::bit_cast<float>(words[word]); };

    ProbeResult probe;
    probe.histogram.resize(options_.bins);
    probe.minimum = std::numeric_limits<float>::max();
    probe.maximum = std::numeric_limits<float>::lowest();
    uint64_t finite = 0;
    double sum = 0, squares = 0;
    for (size_t part = shaders::probe_header; part < words.size();
         part += shaders::probe_part + options_.bins) {
        finite += words[part];
        probe.non_finite += words[part + 1];
        probe.minimum = std::min(probe.minimum, number(part + 2));
        probe.maximum = std::max(probe.maximum, number(part + 3));
        sum += number(part + 4);
        squares += number(part + 5);
        for (uint32_t bin = 0; bin < options_.bins; ++bin)
            probe.histogram[bin] += words[part + shaders::probe_part + bin];
    }
    if (finite == 0) {
        tell_nothing(probe);
        return probe;
    }
    const double count = static_cast<double>(finite), shifted_mean = sum / count;
    probe.mean = static_cast<float>(number(0) + shifted_mean);
    probe.variance = static_cast<float>(std::max(0.0, squares / count - shifted_mean * shifted_mean));

    std::array<float, 3> values{};
    for (size_t i = 0; i < percents.size(); ++i) {
        const double rest = static_cast<double>((finite - 1) * percents[i] % 100) / 100;
        const double lower = number(1 + 2 * i), upper = number(2 + 2 * i);
        values[i] = static_cast<float>(ranks() ? lower + (upper - lower) * rest
                                               : percentile(probe, options_, finite, percents[i]));
    }
    set_percentiles(probe, values);
    return probe;
}

}  // namespace vknorm
