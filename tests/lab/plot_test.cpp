// The arithmetic of the Lab's plots: ticks, zoom, decimation, layout.
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <set>

#include "app/plot/decimate.hpp"
#include "app/plot/layout.hpp"
#include "app/plot/view.hpp"

namespace {

using namespace lab::plot;

// Ranges of every size and place, linear and log.
std::vector<std::pair<Range, Scale>> ranges() {
    std::vector<std::pair<Range, Scale>> result = {
        {{0, 1}, Scale::linear},       {{1, 600}, Scale::linear},      {{-1e-3, 2e-3}, Scale::linear},
        {{0, 1e7}, Scale::linear},     {{9999, 10001}, Scale::linear}, {{-40, -39.9}, Scale::linear},
        {{0.5, 1.001}, Scale::linear}, {{1e-6, 1e6}, Scale::log},      {{0.9, 1.1}, Scale::log},
        {{0.02, 0.3}, Scale::log},     {{1e-12, 1e12}, Scale::log},    {{3, 17}, Scale::log},
    };
    std::mt19937 random(1);
    std::uniform_real_distribution<double> exponent(-6, 8), sign(-1, 1);
    for (int i = 0; i < 2000; ++i) {
        const double middle = std::pow(10, exponent(random)) * sign(random),
                     length = std::pow(10, exponent(random));
        result.push_back({sane({middle - length / 2, middle + length / 2}, Scale::linear), Scale::linear});
        const double low = std::pow(10, exponent(random));
        result.push_back({sane({low, low * std::pow(10, exponent(random))}, Scale::log), Scale::log});
    }
    return result;
}

TEST(Axis, HasThreeToNineDistinctTicksInsideItsRangeInRisingOrder) {
    for (const auto& [range, scale] : ranges())
        for (const int wanted : {2, 5, 12}) {
            const std::vector<Tick> all = ticks(range, scale, wanted);
            SCOPED_TRACE(::testing::Message()
                         << range.low << " to " << range.high << (scale == Scale::log ? " log" : ""));
            ASSERT_GE(all.size(), 3u);
            ASSERT_LE(all.size(), 9u);
            std::set<std::string> labels;
            for (size_t i = 0; i < all.size(); ++i) {
                ASSERT_GE(all[i].value, range.low);
                ASSERT_LE(all[i].value, range.high);
                if (i > 0) {
                    ASSERT_GT(all[i].value, all[i - 1].value);
                }
                ASSERT_TRUE(labels.insert(all[i].label).second) << all[i].label;
            }
        }
}

TEST(Axis, LabelsSayTheValue) {
    for (const auto& [range, scale] : ranges())
        for (const Tick& tick : ticks(range, scale, 5)) {
            double said = std::stod(tick.label);
            if (tick.label.back() == 'k') said *= 1e3;
            if (tick.label.back() == 'M') said *= 1e6;
            EXPECT_NEAR(said, tick.value, 1e-3 * std::max(range.length(), std::abs(tick.value)))
                << range.low << " to " << range.high;
        }
}

TEST(Axis, PositionsAndValuesAreInverse) {
    for (const auto& [range, scale] : ranges())
        for (const double unit : {0.0, 0.25, 1.0}) {
            const double value = from_unit(range, scale, unit);
            EXPECT_NEAR(to_unit(range, scale, value), unit, 1e-6);
        }
    EXPECT_LT(to_unit({0.1, 1}, Scale::log, 0), -1e9);
}

TEST(Axis, NothingMakesItInsane) {
    const double inf = INFINITY;
    for (const Scale scale : {Scale::linear, Scale::log})
        for (const Range& bad : {Range{0, 0}, Range{5, 5}, Range{1, -1}, Range{-inf, inf}, Range{NAN, 1},
                                 Range{-3, -3}, Range{0, 1e-300}, Range{1e300, 1e301}}) {
            const Range range = sane(bad, scale);
            EXPECT_TRUE(std::isfinite(range.low) && std::isfinite(range.high));
            EXPECT_LT(range.low, range.high);
            EXPECT_TRUE(scale == Scale::linear || range.low > 0);
        }
}

TEST(View, ZoomLeavesWhatIsUnderThePointer) {
    for (const auto& [range, scale] :
         {std::pair{Range{0, 600}, Scale::linear}, std::pair{Range{0.01, 10}, Scale::log}}) {
        const double under = from_unit(range, scale, 0.3);
        const Range closer = zoomed(range, scale, 0.5, 0.3);
        EXPECT_NEAR(to_unit(closer, scale, under), 0.3, 1e-9);
        EXPECT_NEAR(to_unit(range, scale, closer.high) - to_unit(range, scale, closer.low), 0.5, 1e-9);
        const Range back = zoomed(closer, scale, 2, 0.3);
        EXPECT_NEAR(back.low, range.low, 1e-9);
        EXPECT_NEAR(back.high, range.high, 1e-9);
    }
}

TEST(View, DragMovesByWhatThePointerMoved) {
    const Range moved = panned({100, 200}, Scale::linear, 0.25);
    EXPECT_DOUBLE_EQ(moved.low, 75);
    EXPECT_DOUBLE_EQ(moved.high, 175);
    EXPECT_NEAR(panned({1, 100}, Scale::log, -0.5).low, 10, 1e-9);
}

TEST(View, FollowsTheDataUntilToldOtherwise) {
    AxisView view;
    EXPECT_EQ(view.range({0, 5}, Scale::linear), (Range{0, 5}));
    view.set({1, 2});
    EXPECT_EQ(view.range({0, 9}, Scale::linear), (Range{1, 2}));
    view.fit();
    EXPECT_EQ(view.range({0, 9}, Scale::linear), (Range{0, 9}));
}

TEST(View, FittedRangesHoldTheDataAndStandStill) {
    for (const Scale scale : {Scale::linear, Scale::log}) {
        const Range a = fitted({0.11, 0.93}, scale), b = fitted({0.1101, 0.9299}, scale);
        EXPECT_LT(a.low, 0.11);
        EXPECT_GT(a.high, 0.93);
        EXPECT_EQ(a, b);
    }
}

TEST(View, AConstantLiesInTheMiddleOfRoundValues) {
    for (const double value : {0.5, 1.0, 0.0, -3.0, 1.0 / 3, 12345.0})
        for (const double rounding : {0.0, 1e-7}) {
            const Range range = fitted({value, value * (1 + rounding)}, Scale::linear);
            EXPECT_NEAR(to_unit(range, Scale::linear, value), 0.5, 0.1) << value;
            EXPECT_GT(range.length(), 0.09 * std::abs(value));
            for (const Tick& tick : ticks(range, Scale::linear, 5))
                EXPECT_LE(tick.label.size(), 6u) << tick.label;
        }
}

std::vector<Point> noise(size_t count) {
    std::vector<Point> points;
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < count; ++i) points.push_back({static_cast<double>(i), normal(random)});
    return points;
}

Mapping mapping_of(size_t count) {
    return {.x = {0, static_cast<double>(count)},
            .y = {-8, 8},
            .left = 50,
            .top = 20,
            .width = 300,
            .height = 200};
}

TEST(Decimation, KeepsEveryPeakAndTheMean) {
    std::vector<Point> points = noise(50'000);
    points[12'345].y = 7.5;
    const Mapping m = mapping_of(points.size());
    const std::vector<Column> all = columns(visible(points, m.x), m, 1);
    ASSERT_LE(all.size(), 301u);
    ASSERT_GE(all.size(), 299u);
    float top = 1e9f, bottom = -1e9f;
    double mean = 0;
    for (size_t i = 0; i < all.size(); ++i) {
        top = std::min(top, all[i].top);
        bottom = std::max(bottom, all[i].bottom);
        mean += all[i].mean / static_cast<double>(all.size());
        EXPECT_LE(all[i].top, all[i].mean);
        EXPECT_GE(all[i].bottom, all[i].mean);
        EXPECT_TRUE(i == 0 || all[i].x > all[i - 1].x);
    }
    double lowest = 1e9, sum = 0;
    for (const Point& p : points) lowest = std::min(lowest, p.y), sum += p.y;
    EXPECT_FLOAT_EQ(top, m.to_y(7.5));
    EXPECT_FLOAT_EQ(bottom, m.to_y(lowest));
    EXPECT_NEAR(mean, m.to_y(sum / 50'000), 0.2);
}

TEST(Decimation, ColumnsTouchSoThatALineStaysWhole) {
    std::vector<Point> points;
    for (int i = 0; i < 1000; ++i) points.push_back({static_cast<double>(i), i < 500 ? -6.0 : 6.0});
    const Mapping m = mapping_of(points.size());
    const std::vector<Column> all = columns(points, m, 1);
    for (size_t i = 1; i < all.size(); ++i) {
        EXPECT_LE(all[i].top, all[i - 1].bottom + 1e-3f);
        EXPECT_GE(all[i].bottom, all[i - 1].top - 1e-3f);
    }
}

TEST(Decimation, LeavesAGapWhereNothingWasMeasured) {
    std::vector<Point> points = noise(1000);
    for (size_t i = 300; i < 600; ++i) points[i].y = NAN;
    const Mapping m = mapping_of(points.size());
    const std::vector<Column> all = columns(points, m, 1);
    size_t beginnings = 0;
    for (const Column& column : all) {
        beginnings += column.begins;
        const double x = m.from_x(column.x + 0.5f);
        EXPECT_FALSE(x > 305 && x < 595);
    }
    EXPECT_EQ(beginnings, 2u);
}

TEST(Decimation, VisibleIsTheRangeAndOneMoreOnEitherSide) {
    const std::vector<Point> points = noise(100);
    const auto shown = visible(points, {10.5, 20});
    EXPECT_EQ(shown[0].x, 10);
    EXPECT_EQ(shown.back().x, 20);
    EXPECT_EQ(visible(points, {-50, 500}).size(), 100u);
    EXPECT_TRUE(visible({}, {0, 1}).empty());
}

TEST(Decimation, WhatWasMeasuredLastHoldsUntilTheEnd) {
    const std::vector<Point> kept = {{1, 5}, {2, 6}};
    const Points points(kept), held = points.held_until(9);
    ASSERT_EQ(held.size(), 3u);
    EXPECT_EQ(held[1].x, 2);
    EXPECT_EQ(held.back().x, 9);
    EXPECT_EQ(held.back().y, 6);
    EXPECT_EQ(points.held_until(2).size(), 2u) << "is there already";
    EXPECT_TRUE(Points().held_until(9).empty());
    const Points shown = visible(held, {5, 20});
    ASSERT_EQ(shown.size(), 2u);
    EXPECT_EQ(shown[0].x, 2);
    EXPECT_EQ(shown[1].x, 9);
    EXPECT_EQ(nearest(held, 8, 9)->x, 9);
}

TEST(Decimation, NearestSkipsWhatWasNotMeasured) {
    std::vector<Point> points = {{1, 5}, {2, NAN}, {3, NAN}, {10, 7}};
    EXPECT_EQ(nearest(points, 2.9, 100)->x, 1);
    EXPECT_EQ(nearest(points, 8, 100)->x, 10);
    EXPECT_EQ(nearest(points, -4, 100)->x, 1);
    EXPECT_EQ(nearest(points, 99, 100)->x, 10);
    points = {{1, NAN}};
    EXPECT_FALSE(nearest(points, 1, 100));
}

TEST(Decimation, NearestIsNoOtherStep) {
    const std::vector<Point> points = {{1, 5}, {2, NAN}, {10, 7}};
    EXPECT_FALSE(nearest(points, 6, 3)) << "nothing was measured around there";
    EXPECT_EQ(nearest(points, 8, 3)->x, 10);
    EXPECT_EQ(nearest(points, 3, 3)->x, 1);
    EXPECT_FALSE(nearest(points, 14, 3));
    EXPECT_FALSE(nearest({}, 1, 3));
}

TEST(Decimation, WhatHoldsIsWhatWasMeasuredBefore) {
    const std::vector<Point> points = {{5, 1}, {10, 2}, {15, NAN}, {20, 4}};
    EXPECT_FALSE(held(points, 4, 3)) << "nothing yet";
    EXPECT_EQ(held(points, 5, 3)->x, 5);
    EXPECT_EQ(held(points, 9, 3)->x, 5) << "not the next one, nearer as it is";
    EXPECT_EQ(held(points, 14.9, 3)->x, 10);
    EXPECT_FALSE(held(points, 16, 3)) << "it was not measured";
    EXPECT_EQ(held(points, 22, 3)->x, 20);
    EXPECT_FALSE(held(points, 24, 3)) << "no more";
    EXPECT_FALSE(held({}, 1, 3));
}

TEST(Ridgeline, RowsAreEvenAndInside) {
    for (const size_t rows : {1u, 2u, 25u}) {
        const RidgeLayout layout = ridge_layout(rows, 100, 300);
        EXPECT_NEAR(layout.first - layout.amplitude, 100, 1e-3);
        EXPECT_NEAR(layout.baseline(rows - 1), 300, 1e-3);
        EXPECT_GT(layout.pitch, 0);
    }
}

TEST(Ridgeline, OneSpikeDoesNotFlattenTheRest) {
    const std::vector<float> usual = {0.1f, 0.2f}, spike = {1.0f, 0.0f};
    const std::vector<std::span<const float>> even = {usual, usual, usual, usual},
                                              spiked = {usual, usual, usual, spike};
    EXPECT_FLOAT_EQ(ridge_scale(even), 0.2f);
    EXPECT_LT(ridge_scale(spiked), 0.4f);
    EXPECT_GT(ridge_scale({}), 0);
}

TEST(Ridgeline, TheZerosOfAReluDoNotFlattenWhatElseThereIs) {
    const std::vector<float> rectified = {0.6f, 0.1f, 0.12f, 0.1f, 0.08f}, spikes = {0, 0.5f, 0, 0.5f, 0},
                             bell = {0.1f, 0.24f, 0.32f, 0.24f, 0.1f};
    EXPECT_LT(usual_peak(rectified), 0.2f);
    EXPECT_GT(usual_peak(rectified), 0.12f) << "that is seen whole";
    EXPECT_EQ(usual_peak(spikes), 0.5f) << "there is nothing else";
    EXPECT_EQ(usual_peak(bell), 0.32f);
}

TEST(Grid, TilesAreAsLargeAsFits) {
    for (const size_t count : {1u, 7u, 24u}) {
        const GridLayout grid = grid_layout(count, 380, 240, 6, 17);
        const size_t rows = (count + grid.columns - 1) / grid.columns;
        EXPECT_GT(grid.tile, 20);
        EXPECT_LE(static_cast<float>(grid.columns) * (grid.tile + 6) - 6, 380.01f);
        EXPECT_LE(static_cast<float>(rows) * (grid.tile + 17 + 6) - 6, 240.01f);
    }
}

}  // namespace
