// The learning rate of a run follows its settings.
#include "app/experiment/learning_rate.hpp"

#include <gtest/gtest.h>

namespace {

using namespace lab;

Settings scheduled(Schedule schedule) {
    Settings settings;
    settings.learning_rate = 0.5f;
    settings.schedule = schedule;
    settings.schedule_steps = 300;
    return settings;
}

TEST(LearningRateOfARun, IsAsSetUnlessThereIsASchedule) {
    for (const uint64_t step : {1u, 300u, 1000u})
        EXPECT_EQ(learning_rate_at(scheduled(Schedule::constant), step), 0.5f);
}

TEST(LearningRateOfARun, FollowsTheSchedule) {
    const auto rate = [](Schedule schedule, uint64_t step) {
        return learning_rate_at(scheduled(schedule), step);
    };
    EXPECT_EQ(rate(Schedule::step, 100), 0.5f);
    EXPECT_FLOAT_EQ(rate(Schedule::step, 101), 0.05f);
    EXPECT_FLOAT_EQ(rate(Schedule::step, 300), 0.005f);
    EXPECT_EQ(rate(Schedule::cosine, 1), 0.5f);
    EXPECT_FLOAT_EQ(rate(Schedule::cosine, 151), 0.25f);
    EXPECT_FLOAT_EQ(rate(Schedule::cosine, 301), 0);
    EXPECT_FLOAT_EQ(rate(Schedule::one_cycle, 1), 0.02f);
    EXPECT_FLOAT_EQ(rate(Schedule::one_cycle, 90), 0.5f);
    EXPECT_LT(rate(Schedule::one_cycle, 300), 1e-5f);
}

TEST(LearningRateOfARun, WarmsUpBeforeTheSchedule) {
    Settings settings = scheduled(Schedule::cosine);
    settings.warm_up = 100;
    EXPECT_FLOAT_EQ(learning_rate_at(settings, 1), 0.5f / 3);
    EXPECT_FLOAT_EQ(learning_rate_at(settings, 51), 0.5f * 2 / 3);
    EXPECT_EQ(learning_rate_at(settings, 101), 0.5f);
    EXPECT_FLOAT_EQ(learning_rate_at(settings, 201), 0.25f);
    settings.warm_up = 500;
    EXPECT_FLOAT_EQ(learning_rate_at(settings, 501), 0.5f);
}

}  // namespace
