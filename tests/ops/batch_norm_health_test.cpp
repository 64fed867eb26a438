// The report on each channel that the statistics pass gives on request.
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/batch_norm.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// x of [7, 5, 61, 50] or [7, 61, 50, 5]; value i of channel c is x(c, i). More than one slice under small
/// limits.
struct Report {
    static constexpr uint32_t images = 7, channels = 5, positions = 61 * 50;
    std::vector<ChannelHealth> health;
    std::vector<uint32_t> valid;  ///< empty: all

    template <class Value>
    Report(Layout layout, Value value, std::vector<uint32_t> counts = {}) : valid(std::move(counts)) {
        const bool last = layout == Layout::channels_last;
        std::vector<float> x(size_t{images} * channels * positions);
        for (size_t n = 0; n < images; ++n)
            for (size_t c = 0; c < channels; ++c)
                for (size_t p = 0; p < positions; ++p)
                    x[last ? (n * positions + p) * channels + c : (n * channels + c) * positions + p] =
                        value(c, n * positions + p);
        const std::vector<uint32_t> first_shape{images, channels, 61, 50},
            last_shape{images, 61, 50, channels};
        const BatchNorm op(test_device(), {.shape = last ? last_shape : first_shape, .layout = layout});
        const GuardedBuffer input(x), y(x.size() * 4, "y"), mean(8 * channels, "mean"),
            inv_std(4 * channels, "inv_std");
        const GuardedBuffer report(channels * sizeof(ChannelHealth), "health"), count(4, "count");
        const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
        const GuardedBuffer mask(valid.empty() ? std::vector<uint32_t>{1} : valid, "valid");
        Stream stream(test_device());
        op.forward_training(stream.record(), {.x = input,
                                              .y = y,
                                              .mean = mean,
                                              .inv_std = inv_std,
                                              .valid = valid.empty() ? BufferView{} : mask.view(),
                                              .count = count,
                                              .health = report,
                                              .scratch = scratch});
        stream.wait(stream.submit());
        health = report.download<ChannelHealth>();
    }
};

TEST(BatchNormHealth, NamesTheFirstValueThatIsNotFinite) {
    for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
        for (const size_t at :
             {size_t{0}, size_t{3}, size_t{3049}, size_t{3050}, size_t{12345}, size_t{7 * 3050 - 1}}) {
            const Report report(layout, [&](size_t c, size_t i) {
                if (c == 1 && i >= at) return nan;
                if (c == 3 && (i == at || i + 1 == 7 * 3050)) return -infinity;
                return static_cast<float>(i % 7);
            });
            for (const size_t c : {0, 2, 4})
                EXPECT_EQ(report.health[c].first_non_finite, ChannelHealth::none);
            for (const size_t c : {1, 3}) EXPECT_EQ(report.health[c].first_non_finite, at);
        }
    }
}

TEST(BatchNormHealth, DoesNotLookAtValuesThatDoNotCount) {
    std::vector<uint32_t> valid(size_t{Report::images} * Report::positions, 1);
    valid[5] = valid[6] = valid[400] = 0;
    const Report report(
        Layout::channels_first,
        [](size_t c, size_t i) {
            if (i == 5 || i == 6 || i == 400) return nan;
            return c == 2 && i > 9000 ? infinity : static_cast<float>(i % 3);
        },
        valid);
    EXPECT_EQ(report.health[0].first_non_finite, ChannelHealth::none);
    EXPECT_EQ(report.health[2].first_non_finite, 9001u);
}

TEST(BatchNormHealth, MeasuresTheMeanInDeviations) {
    const Report report(Layout::channels_first, [](size_t c, size_t i) {
        const float sign = i % 2 == 0 ? 1 : -1;
        switch (c) {
            case 0:
                return 100 + sign;  // mean 100, std 1
            case 1:
                return -8 + sign * 2;  // mean -8, std 2
            case 2:
                return 1e-4f * sign;  // mean 0, variance 1e-8
            case 3:
                return 5.0f;  // a constant
            default:
                return 0.0f;
        }
    });
    EXPECT_NEAR(report.health[0].mean_over_std, 100, 1e-4);
    EXPECT_NEAR(report.health[1].mean_over_std, 4, 1e-5);
    EXPECT_NEAR(report.health[2].mean_over_std, 0, 1e-5);
    EXPECT_EQ(report.health[3].mean_over_std, infinity);
    EXPECT_EQ(report.health[4].mean_over_std, 0);
    const uint32_t below[] = {0, 0, 1, 1, 1};
    for (size_t c = 0; c < 5; ++c) EXPECT_EQ(report.health[c].below_epsilon, below[c]) << c;
}

// What the engine clears before it writes is what it writes, however long the caller's views are.
TEST(BatchNormHealth, AndTheMaskOfAReluLeaveTheRestOfLongerViewsAlone) {
    const std::vector<float> x{1, 2, 3, 4, 5, 6};
    const BatchNorm op(test_device(), {.shape = {3, 2}});
    ASSERT_EQ(op.relu_mask_bytes(), 8u);
    const GuardedBuffer input(x), y(24, "y"), mean(16, "mean"), inv_std(8, "inv_std");
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    constexpr size_t words = sizeof(ChannelHealth) / sizeof(uint32_t), first_non_finite = 2;
    const std::vector<uint32_t> mask_before(8, 77), before(2 * words + 2, 77);
    const GuardedBuffer health(before), mask(mask_before);
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = input,
                                       .y = y,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .relu = true,
                                       .relu_mask = mask,
                                       .health = health,
                                       .scratch = scratch});
    });
    // Channels (1, 3, 5) and (2, 4, 6): only the last value of each is above the mean.
    EXPECT_EQ(mask.download<uint32_t>(), (std::vector<uint32_t>{4, 4, 77, 77, 77, 77, 77, 77}));
    const std::vector<uint32_t> report = health.download<uint32_t>();
    EXPECT_EQ(report[first_non_finite], ChannelHealth::none);
    EXPECT_EQ(report[words + first_non_finite], ChannelHealth::none);
    EXPECT_EQ(report[2 * words], 77u);
    EXPECT_EQ(report[2 * words + 1], 77u);
}

}  // namespace
}  // namespace vknorm::testing
