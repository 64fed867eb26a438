// The moments of a run that can be gone back to: evenly over its steps, few, and in bounded memory.
#include "app/experiment/moments.hpp"

#include <gtest/gtest.h>

namespace {

using namespace lab;

Snapshot at_step(uint64_t step) {
    Snapshot run;
    run.run = 3;
    run.step = step;
    return run;
}

void expect_even(const Moments& moments, uint64_t most_between) {
    const Moments::Kept& kept = moments.kept();
    ASSERT_GE(kept.size(), Moments::most / 3);
    ASSERT_LE(kept.size(), Moments::most);
    uint64_t least = UINT64_MAX, greatest = 0;
    for (size_t i = 1; i < kept.size(); ++i) {
        least = std::min(least, kept[i]->step - kept[i - 1]->step);
        greatest = std::max(greatest, kept[i]->step - kept[i - 1]->step);
    }
    EXPECT_LT(greatest - least, most_between) << least << " to " << greatest;
}

TEST(Moments, AreEvenlySpacedAndBounded) {
    Moments every_step;
    for (uint64_t step = 0; step <= 5000; ++step) {
        every_step.add(at_step(step));
        ASSERT_LE(every_step.kept().size(), Moments::most);
        if (step > Moments::most) continue;
        ASSERT_EQ(every_step.kept().size(), step) << "each one at first, but not what no step was made of";
    }
    expect_even(every_step, 1);
    EXPECT_EQ(every_step.kept().front()->step, 1u) << "the first step stays";
    EXPECT_GT(every_step.kept().back()->step, 4800u);
}

TEST(Moments, AreEvenOverTheStepsThatAreShownAndAtAnySpeed) {
    Moments moments;
    uint64_t step = 1;
    for (; step < 200; ++step) moments.add(at_step(step));         // slow
    for (; step < 40'000; step += 37) moments.add(at_step(step));  // fast: frames skip steps
    expect_even(moments, 2 * 37);
}

TEST(Moments, TheLatestOfAStepReplacesTheOneBefore) {
    Moments moments;
    for (const float accuracy : {0.5f, 0.9f}) {
        Snapshot run = at_step(7);
        run.twins[0].test.push(7, {.accuracy = accuracy});
        moments.add(run);
    }
    ASSERT_EQ(moments.kept().size(), 1u);
    EXPECT_EQ(moments.kept()[0]->twins[0].test.back().value.accuracy, 0.9f);
}

TEST(Moments, HaveNoCurvesButTheLatestValue) {
    Snapshot run = at_step(100);
    run.events.push_back({3, EventKind::setting, "Noise"});
    TwinView& twin = run.twins[1];
    for (uint64_t step = 1; step <= 100; ++step) {
        const auto value = static_cast<float>(step);
        twin.training.push(step, {.loss = value});
        twin.unit.push(step, {.gamma = value});
        twin.test.push(step, {.accuracy = value});
    }
    twin.boundary = {.columns = 2, .rows = 1, .classes = 1, .probability = {0.25f, 0.75f}};
    twin.layers.push_back({.normalized = {.share = {1}}, .mean = 4});
    twin.predicted = {3};
    twin.divergence = Divergence{90, "NaN"};
    Moments moments;
    moments.add(run);
    const Snapshot& moment = *moments.kept().back();
    EXPECT_EQ(moment.run, 3u);
    EXPECT_EQ(moment.step, 100u);
    EXPECT_TRUE(moment.events.empty());
    ASSERT_EQ(moment.twins.size(), run.twins.size());
    const TwinView& then = moment.twins[1];
    EXPECT_TRUE(then.training.empty());
    ASSERT_EQ(then.unit.size(), 1u);
    EXPECT_EQ(then.unit.back().step, 100u);
    EXPECT_EQ(then.unit.back().value.gamma, 100);
    ASSERT_EQ(then.test.size(), 1u);
    EXPECT_EQ(then.test.back().value.accuracy, 100);
    EXPECT_EQ(then.boundary.probability, twin.boundary.probability);
    EXPECT_EQ(then.layers[0].mean, 4);
    EXPECT_EQ(then.predicted, twin.predicted);
    EXPECT_EQ(then.divergence->step, 90u);
}

TEST(Moments, TakeBoundedMemoryHoweverLargeOneIs) {
    constexpr size_t floats = 700'000;  // 2.8 MB
    Snapshot run = at_step(0);
    run.twins[0].maps = {.pictures = 1, .height = 1, .width = floats, .values = std::vector<float>(floats)};
    Moments moments;
    for (run.step = 1; run.step < 300; ++run.step) {
        moments.add(run);
        ASSERT_LE(moments.bytes(), Moments::most_bytes);
        ASSERT_EQ(moments.bytes(), moments.kept().size() * floats * sizeof(float));
    }
    EXPECT_GE(moments.kept().size(), 8u);
    EXPECT_EQ(moments.kept().front()->step, 1u);
}

TEST(Moments, HaveTheMapsOfOneChannelOnly) {
    Snapshot run = at_step(1);
    Settings other = run.settings;
    other.inspected_unit = 5;
    EXPECT_TRUE(shows_inspected(run, other)) << "there are no maps";
    run.twins[0].maps = {.pictures = 1, .height = 1, .width = 1, .values = {0}};
    EXPECT_TRUE(shows_inspected(run, run.settings));
    EXPECT_FALSE(shows_inspected(run, other));
}

}  // namespace
