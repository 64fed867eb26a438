// Probes: counts, extremes and ranks are exact; moments are within a bound.
#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/probe.hpp>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

ProbeResult run(const ProbeOptions& options, uint32_t rows, uint32_t units, const std::vector<float>& data) {
    const Probe probe(test_device(), options, rows, units);
    const GuardedBuffer tensor(data, "tensor", true), result(probe.result_bytes(), "result", true);
    Stream stream(test_device());
    probe.measure(stream.record(), {.tensor = tensor, .result = result});
    stream.wait(stream.submit());
    return probe.decode(result.download<std::byte>());
}

std::vector<float> measured(const ProbeOptions& options, uint32_t units, const std::vector<float>& data) {
    std::vector<float> values;
    for (size_t i = 0; i < data.size(); ++i)
        if ((options.unit < 0 || i % units == static_cast<size_t>(options.unit)) && std::isfinite(data[i]))
            values.push_back(data[i]);
    return values;
}

/// numpy.percentile, linear.
double exact_percentile(std::vector<float> values, double percent) {
    std::sort(values.begin(), values.end());
    const double position = percent / 100 * static_cast<double>(values.size() - 1);
    const size_t lower = static_cast<size_t>(position), upper = std::min(lower + 1, values.size() - 1);
    return values[lower] + (double{values[upper]} - values[lower]) * (position - static_cast<double>(lower));
}

std::vector<uint32_t> histogram(const ProbeOptions& options, const std::vector<float>& values) {
    std::vector<uint32_t> counts(options.bins);
    const float scale = static_cast<float>(options.bins) / (options.high - options.low);
    for (const float value : values) {
        const float position = (value - options.low) * scale;
        ++counts[static_cast<size_t>(std::clamp(position, 0.f, static_cast<float>(options.bins - 1)))];
    }
    return counts;
}

// Sums of n shifted values in float32: n u relative to the sums of magnitudes, in the worst order; the
// variance takes the difference of two such terms.
void check(const ProbeOptions& options, uint32_t rows, uint32_t units, const std::vector<float>& data) {
    SCOPED_TRACE(::testing::Message()
                 << rows << " x " << units << ", unit " << options.unit << ", " << options.bins << " bins");
    const ProbeResult result = run(options, rows, units, data);
    const std::vector<float> values = measured(options, units, data);
    const size_t seen = options.unit < 0 ? data.size() : rows;
    EXPECT_EQ(result.non_finite, seen - values.size());
    EXPECT_EQ(result.histogram, histogram(options, values));
    if (values.empty()) {
        EXPECT_TRUE(std::isnan(result.mean) && std::isnan(result.percentile50) && std::isnan(result.minimum));
        return;
    }
    EXPECT_EQ(result.minimum, *std::min_element(values.begin(), values.end()));
    EXPECT_EQ(result.maximum, *std::max_element(values.begin(), values.end()));

    const float first = data[static_cast<size_t>(std::max(options.unit, 0))];
    const double count = static_cast<double>(values.size()), shift = std::isfinite(first) ? first : 0;
    double mean = 0, variance = 0, away = 0, squares = 0;
    for (const float value : values) mean += value / count;
    for (const float value : values) {
        variance += (value - mean) * (value - mean) / count;
        away += std::abs(value - shift) / count;
        squares += (value - shift) * (value - shift) / count;
    }
    const double u = std::ldexp(1.0, -24);
    // A workgroup's lane adds at most count / 64 values, then 64 lanes are added.
    const double additions = count / 64 + 68;
    const double mean_error = away * u * additions;
    expect_near("probe mean", std::vector{result.mean}, std::vector{mean},
                mean_error + u * std::abs(mean) + 1e-37);
    expect_near(
        "probe variance", std::vector{result.variance}, std::vector{variance},
        squares * u * (additions + 3) + 2 * std::abs(mean - shift) * mean_error + 2 * u * variance + 1e-37);

    const float percentiles[] = {result.percentile15, result.percentile50, result.percentile85};
    constexpr double percents[] = {15, 50, 85};
    const double bin = (double{options.high} - options.low) / options.bins;
    for (int i = 0; i < 3; ++i) {
        const double exact = exact_percentile(values, percents[i]);
        if (options.unit >= 0) {
            expect_near("probe percentile", std::vector{percentiles[i]}, std::vector{exact},
                        u * std::abs(exact) + 1e-37);
        } else if (result.minimum >= options.low && result.maximum < options.high && count > 300) {
            EXPECT_NEAR(percentiles[i], exact, 2 * bin);
        }
    }
}

TEST(Probe, MeasuresEverySize) {
    std::mt19937_64 random = random_generator();
    for (const auto& [rows, units] :
         {std::pair{1u, 1u}, {2u, 3u}, {31u, 13u}, {32u, 48u}, {100u, 33u}, {257u, 60u}}) {
        std::vector<float> data = random_floats(random, size_t{rows} * units, -3, 5);
        check({.bins = 64, .low = -4, .high = 6}, rows, units, data);
        check({.bins = 256, .low = -1, .high = 2}, rows, units, data);
        check({.bins = 1, .low = 0, .high = 1}, rows, units, data);
        for (const uint32_t unit : {0u, units / 2, units - 1})
            check({.bins = 32, .unit = static_cast<int32_t>(unit)}, rows, units, data);
    }
}

TEST(Probe, PartsAreMergedIntoTheWhole) {
    std::mt19937_64 random = random_generator();
    constexpr uint32_t units = 5;
    std::vector<float> data = random_floats(random, size_t{40} * units, -3, 5);
    data[7] = std::numeric_limits<float>::quiet_NaN();
    const ProbeOptions options{.bins = 100, .low = -3.5f, .high = 5.5f};
    const ProbeResult whole = run(options, 40, units, data);
    std::vector<ProbeResult> parts;
    for (const auto& [first, rows] : {std::pair{0u, 25u}, {25u, 1u}, {26u, 14u}}) {
        const auto begin = data.begin() + first * units;
        parts.push_back(run(options, rows, units, {begin, begin + rows * units}));
    }
    parts.push_back(run(options, 1, units, std::vector<float>(units, data[7])));  // nothing finite
    const ProbeResult all = merged(parts, options);
    EXPECT_EQ(all.histogram, whole.histogram);
    EXPECT_EQ(all.minimum, whole.minimum);
    EXPECT_EQ(all.maximum, whole.maximum);
    EXPECT_EQ(all.non_finite, whole.non_finite + units);
    EXPECT_EQ(all.percentile15, whole.percentile15);
    EXPECT_EQ(all.percentile50, whole.percentile50);
    EXPECT_EQ(all.percentile85, whole.percentile85);
    EXPECT_NEAR(all.mean, whole.mean, 1e-6);
    EXPECT_NEAR(all.variance, whole.variance, 1e-5);
    EXPECT_TRUE(std::isnan(merged(std::span(parts).last(1), options).mean));
    EXPECT_EQ(refusal([&] { (void)merged(parts, {}); }), "merged: parts: got 100 bins, needs 64");
}

TEST(Probe, MeasuresAChannelOfMaps) {
    std::mt19937_64 random = random_generator();
    for (const auto& [rows, channels, positions] :
         {std::tuple{1u, 1u, 1u}, {3u, 5u, 7u}, {2u, 3u, 400u}, {64u, 4u, 49u}}) {
        const std::vector<float> data = random_floats(random, size_t{rows} * channels * positions, -3, 5);
        for (const uint32_t channel : {0u, channels - 1}) {
            // What it has is a tensor of its own.
            std::vector<float> its;
            for (size_t i = 0; i < data.size(); ++i)
                if (i / positions % channels == channel) its.push_back(data[i]);
            const ProbeOptions whole{.bins = 100, .low = -3.5f, .high = 5.5f};
            ProbeOptions options = whole;
            options.unit = static_cast<int32_t>(channel);
            const Probe probe(test_device(), options, rows, channels, positions);
            const GuardedBuffer tensor(data, "tensor", true), result(probe.result_bytes(), "result", true);
            testing::run(
                [&](Recorder& recorder) { probe.measure(recorder, {.tensor = tensor, .result = result}); });
            const ProbeResult got = probe.decode(result.download<std::byte>());
            const ProbeResult expected = run(whole, rows, positions, its);
            EXPECT_EQ(got.histogram, expected.histogram);
            EXPECT_EQ(got.minimum, expected.minimum);
            EXPECT_EQ(got.maximum, expected.maximum);
            EXPECT_EQ(got.mean, expected.mean);
            EXPECT_EQ(got.variance, expected.variance);
            if (positions > 1) {
                EXPECT_EQ(got.percentile50, expected.percentile50);
            }
        }
    }
}

TEST(Probe, SurvivesDataThatHurts) {
    std::mt19937_64 random = random_generator();
    constexpr uint32_t rows = 77, units = 5;
    constexpr float infinity = std::numeric_limits<float>::infinity(),
                    nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> data = random_floats(random, rows * units, -1, 1);
    for (float& value : data) value = 1000 + 0.01f * value;
    data[0] = nan;
    data[7] = infinity;
    data[12] = -infinity;
    data[33] = -3e38f;  // an outlier in column 3
    for (uint32_t row = 0; row < rows; ++row)
        data[row * units + 1] = row % 3 ? 7.f : -0.f;  // many equal values
    for (uint32_t row = 0; row < rows; ++row) data[row * units + 4] = nan;
    for (const int32_t unit : {0, 1, 2, 4})
        check({.bins = 16, .low = 999, .high = 1001, .unit = unit}, rows, units, data);
    const ProbeResult outlier = run({.bins = 16, .unit = 3}, rows, units, data);
    EXPECT_EQ(outlier.minimum, -3e38f);
    EXPECT_EQ(outlier.histogram[0], 1u);
    EXPECT_EQ(outlier.histogram[15], rows - 1);
}

TEST(Probe, HasTheSameBitsAtEveryRun) {
    std::mt19937_64 random = random_generator();
    const std::vector<float> data = random_floats(random, 16000);
    const ProbeResult first = run({}, 160, 100, data);
    for (int i = 0; i < 5; ++i) {
        const ProbeResult again = run({}, 160, 100, data);
        EXPECT_EQ(again.mean, first.mean);
        EXPECT_EQ(again.variance, first.variance);
        EXPECT_EQ(again.histogram, first.histogram);
    }
}

TEST(Probe, RefusesOptionsOutOfRange) {
    for (const ProbeOptions& bad :
         {ProbeOptions{.bins = 0}, ProbeOptions{.bins = 257}, ProbeOptions{.low = 1, .high = 1},
          ProbeOptions{.low = 0, .high = std::numeric_limits<float>::infinity()}, ProbeOptions{.unit = 8},
          ProbeOptions{.unit = -2}})
        EXPECT_THROW(Probe(test_device(), bad, 32, 8), std::invalid_argument);
    const auto range = [](float low, float high) {
        return refusal([&] { Probe(test_device(), {.bins = 64, .low = low, .high = high}, 8, 1); });
    };
    const std::string needs = ", needs finite numbers, high above low by 7.52316385e-37 to 3.40282347e+38";
    EXPECT_EQ(range(-3e38f, 3e38f), "probe: low and high: got -3.00000001e+38 and 3.00000001e+38" + needs);
    EXPECT_EQ(range(0, 1e-45f), "probe: low and high: got 0 and 1.40129846e-45" + needs);
    EXPECT_EQ(range(-1.5e38f, 1.5e38f), "no error");
    EXPECT_EQ(refusal([] { Probe(test_device(), {}, 0, 1); }), "probe: rows: got 0, needs at least 1");
    EXPECT_EQ(refusal([] { Probe(test_device(), {}, 1, 0); }), "probe: units: got 0, needs at least 1");
}

TEST(Probe, RefusesMoreThanOneDispatchMayDo) {
    const bool few_workgroups = test_device().capabilities().max_workgroups < 16;
    EXPECT_EQ(refusal([] { Probe(test_device(), {.unit = 0}, 16000, 1); }),
              std::string("probe: rows: got 16000, needs at most ") + (few_workgroups ? "3584" : "5120"));
    EXPECT_NO_THROW(Probe(test_device(), {}, 16000, 1));
}

TEST(Probe, Arguments) {
    const Probe probe(test_device(), {.bins = 4}, 3, 5);
    const Buffer all(test_device(), 4096, "all");
    const auto message = [&](const std::function<void(Probe::Measure&)>& change) {
        Probe::Measure arguments{.tensor = all.view(0, 60), .result = all.view(256, probe.result_bytes())};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { probe.measure(recorder, arguments); });
    };
    EXPECT_EQ(message([](auto&) {}), "no error");
    EXPECT_EQ(message([](auto& a) { a.tensor.bytes = 56; }), "probe.measure: tensor: got 56 bytes, needs 60");
    EXPECT_EQ(message([](auto& a) { a.result.bytes -= 4; }), "probe.measure: result: got 64 bytes, needs 68");
    EXPECT_EQ(message([](auto& a) { a.result.offset += 4; }),
              "probe.measure: result: got offset 260, needs a multiple of 256");
    EXPECT_EQ(message([](auto& a) { a.result.offset = 0; }),
              "probe.measure: result: got memory that overlaps tensor, needs memory of its own");
    const std::vector<std::byte> short_result(64);
    EXPECT_EQ(refusal([&] { (void)probe.decode(short_result); }),
              "probe.decode: result: got 64 bytes, needs 68");
}

}  // namespace
}  // namespace vknorm::testing
