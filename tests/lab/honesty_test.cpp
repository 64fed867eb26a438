// What the screen shows is so: no values of other steps, no piles that are none, no hidden twins, nothing
// lost.
#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "app/experiment/presets.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

const Fonts& fonts(Stage& stage) {
    return stage.screen.look().fonts;
}

size_t said(Stage& stage, const std::string& words) {
    return stage.find(words, fonts(stage).small).size();
}

void zoom_in(Stage& stage, const char* panel, float unit = 0.5f) {
    const plot::Mapping& m = stage.plot(panel).mapping;
    stage.hover({m.left + unit * m.width, m.top + m.height / 2});
    stage.screen.input().wheel(0, 6);
    stage.settle();
}

TEST(Honesty, AnotherRunEndsTheZoom) {
    Stage stage;
    const plot::Range all = stage.plot("loss").mapping.x;
    stage.hover(center(stage.panel("loss")));
    stage.screen.input().key(Key::shift, true);
    stage.screen.input().wheel(0, 2);
    stage.screen.input().key(Key::shift, false);
    zoom_in(stage, "loss");
    EXPECT_LT(stage.plot("loss").mapping.x.length(), all.length() / 3);
    EXPECT_EQ(said(stage, "zoomed: steps"), 1u);
    EXPECT_EQ(said(stage, "See all"), 1u);

    auto reset = synthetic_run({}, 20);
    reset->run = 1;
    stage.commands.show(reset);
    stage.frame();
    EXPECT_EQ(stage.plot("loss").mapping.x, (plot::Range{1, 20}));
    EXPECT_EQ(stage.plot("gradient").mapping.x, (plot::Range{1, 20}));
    EXPECT_EQ(said(stage, "zoomed: steps"), 0u);
    Stage fresh({}, 20);
    EXPECT_EQ(stage.plot("loss").mapping.y, fresh.plot("loss").mapping.y)
        << "values follow the data again, too";
}

TEST(Honesty, TheZoomIsSaidAndEndedByAClick) {
    Stage stage;
    EXPECT_EQ(said(stage, "zoomed: steps"), 0u);
    zoom_in(stage, "gradient");
    EXPECT_EQ(said(stage, "zoomed: steps"), 1u);
    expect_letters_apart(stage);
    expect_letters_whole(stage);
    stage.click(center(stage.the("See all", fonts(stage).small)));
    EXPECT_EQ(said(stage, "zoomed: steps"), 0u);
    EXPECT_EQ(stage.plot("gradient").mapping.x, (plot::Range{1, 600}));
}

TEST(Honesty, TheReadOutSaysNothingOfOtherSteps) {
    Stage stage;
    // A zoom, and then fewer steps than it shows: the right half of every plot is empty.
    zoom_in(stage, "loss", 0.5f);
    const plot::Range shown = stage.plot("loss").mapping.x;
    const auto middle = static_cast<uint64_t>((shown.low + shown.high) / 2);
    stage.commands.show(synthetic_run({}, middle));
    stage.settle();
    for (const char* panel : {"loss", "accuracy", "mean", "gradient", "percentiles"}) {
        const plot::Mapping m = stage.plot(panel).mapping;
        EXPECT_EQ(m.x, shown);
        stage.hover({m.left + 0.9f * m.width, m.top + 5});
        EXPECT_FALSE(stage.plot(panel).reading) << panel;
        stage.hover({m.left + 0.2f * m.width, m.top + 5});
        ASSERT_TRUE(stage.plot(panel).reading) << panel;
        EXPECT_NEAR(stage.plot(panel).reading->x, m.from_x(m.left + 0.2f * m.width), 21) << panel;
    }
}

TEST(Honesty, WhatWasTestedEarlierSaysWhen) {
    Stage stage;
    const plot::Mapping& m = stage.plot("loss").mapping;
    stage.hover({m.to_x(317), m.top + 10});
    ASSERT_TRUE(stage.plot("loss").reading);
    const plot::Reading& reading = *stage.plot("loss").reading;
    EXPECT_NEAR(reading.x, 317, 1);
    bool found = false;
    for (const plot::ReadingLine& line : reading.lines) {
        const auto at = static_cast<size_t>(reading.x);
        if (line.name == "A test set, eval mode (step 301)") found = true;
        if (line.name == "A batch") {
            // One entry more: the synthetic run has an overflow at step 150.
            const auto& row = stage.commands.shown().twins[0].training[at].value;
            EXPECT_FLOAT_EQ(static_cast<float>(line.value), row.loss);
        }
    }
    EXPECT_TRUE(found) << "measured every 20 steps";
}

TEST(Honesty, ValuesBeyondTheRangeAreSaid) {
    Stage stage;
    EXPECT_EQ(said(stage, "none beyond"), 4u) << "both ends of both ridgelines";
    for (LayerView& layer : stage.commands.shown().twins[1].layers) {
        layer.normalized.below = 0.086f;
        layer.normalized.above = 0.002f;
        for (float& share : layer.normalized.share) share *= 0.912f;
    }
    stage.frame();
    EXPECT_EQ(said(stage, "8.6 % beyond"), 1u);
    EXPECT_EQ(said(stage, "0.2 % beyond"), 1u);
    EXPECT_EQ(said(stage, "none beyond"), 2u);
    expect_letters_apart(stage);
    expect_letters_whole(stage);
}

TEST(Honesty, SmoothingIsChosen) {
    Stage stage({}, 600, {1600, 1200});  // where all controls are in sight
    EXPECT_EQ(stage.shell.settings().smoothing, Smoothing::light);
    const auto smoothed = [&](Smoothing smoothing) {
        stage.commands.shown().settings.smoothing = smoothing;
        const plot::Mapping& m = stage.plot("loss").mapping;
        stage.hover({m.to_x(417), m.top + 10});
        const plot::Reading& reading = *stage.plot("loss").reading;
        // One entry more: the synthetic run has an overflow at step 150.
        const auto& row = stage.commands.shown().twins[0].training[static_cast<size_t>(reading.x)].value;
        for (const plot::ReadingLine& line : reading.lines)
            if (line.name == "A smoothed") return std::pair(static_cast<float>(line.value), row);
        return std::pair(-1.0f, row);
    };
    const auto light = smoothed(Smoothing::light), strong = smoothed(Smoothing::strong);
    EXPECT_FLOAT_EQ(light.first, light.second.lightly_smoothed_loss);
    EXPECT_FLOAT_EQ(strong.first, strong.second.strongly_smoothed_loss);
    EXPECT_NE(light.first, strong.first);
    EXPECT_EQ(smoothed(Smoothing::off).first, -1);

    stage.click(center(stage.the("Strong", fonts(stage).body)));
    EXPECT_EQ(stage.commands.applied.smoothing, Smoothing::strong);
}

TEST(Honesty, LogAxesFitTheDataAndNotAnUnderflow) {
    Stage stage;
    const plot::Range before = stage.plot("loss").mapping.y;
    TwinView& twin = stage.commands.shown().twins[0];
    twin.training.push(600, {.loss = 1e-30f, .lightly_smoothed_loss = 0.1f, .strongly_smoothed_loss = 0.1f});
    stage.frame();
    EXPECT_GT(stage.plot("loss").mapping.y.low, 1e-9 * before.high);
    EXPECT_EQ(stage.plot("loss").mapping.y.high, before.high);
}

/// How often the colour begins along the row of pixels where a plot has `value`.
size_t pieces(Stage& stage, const char* panel, double value, Color color) {
    const plot::Mapping& m = stage.plot(panel).mapping;
    const Picture picture = stage.picture();
    const auto y = static_cast<uint32_t>(std::lround(m.to_y(value)));
    size_t result = 0;
    bool before = false;
    for (auto x = static_cast<uint32_t>(m.left); x < static_cast<uint32_t>(m.left + m.width); ++x) {
        bool now = false;
        for (const uint32_t row : {y - 1, y, y + 1}) now = now || is(picture.pixel(x, row), color, 60);
        result += now && !before;
        before = now;
    }
    return result;
}

TEST(Honesty, DashesStayDashesWhenDense) {
    for (const uint64_t interval : {1u, 100u}) {
        Stage stage({}, 2000);
        for (TwinView& twin : stage.commands.shown().twins) {
            twin.test.clear();
            for (uint64_t step = 1; step <= 2000; step += interval)
                twin.test.push(step,
                               {0.9f, &twin == &stage.commands.shown().twins[0] ? 0.3f : not_measured, 1});
        }
        stage.hover({2, 2});
        EXPECT_GT(pieces(stage, "accuracy", 0.3, stage.screen.look().theme.twins[0]), 15u) << interval;
    }
}

TEST(Honesty, IdenticalTwinsAreBothSeen) {
    Stage stage;
    auto& twins = stage.commands.shown().twins;
    twins[1] = twins[0];
    stage.hover({2, 2});
    const Picture picture = stage.picture();
    const Theme& theme = stage.screen.look().theme;
    for (const char* panel : {"loss", "accuracy", "gradient", "percentiles"})
        for (size_t twin = 0; twin < 2; ++twin) {
            const plot::Mapping& m = stage.plot(panel).mapping;
            const plot::Rect area{{m.left, m.top}, {m.left + m.width, m.top + m.height}};
            EXPECT_GT(count(picture, area, theme.twins[twin]), 100u) << panel << ", " << twin;
        }
    plot::Rect card = stage.layout().cards;
    card.max.y -= 20;  // without the numbers
    for (size_t twin = 0; twin < 2; ++twin)
        EXPECT_GT(count(picture, card, theme.twins[twin], 40), 60u) << twin;
}

class ADivergedTwin : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Honesty, ADivergedTwin, ::testing::Bool(),
                         [](const auto& large) { return large.param ? "Large" : "Small"; });

TEST_P(ADivergedTwin, IsMarkedEverywhere) {
    Stage stage({}, 600, GetParam() ? ImVec2{1600, 1000} : ImVec2{1280, 800});
    const plot::Rect panel = stage.panel("data");
    const Color bad = stage.screen.look().theme.bad;
    EXPECT_EQ(count(stage.picture(), panel, bad), 0u);
    Snapshot& run = stage.commands.shown();
    run.twins[1].divergence = Divergence{412, "a loss that is not a number in hidden layer 2"};
    run.events = {{412, EventKind::diverged, "B diverged: a loss that is not a number in hidden layer 2"}};
    run.message =
        "B diverged at step 412: a loss that is not a number in hidden layer 2; lower the learning rate";
    run.severity = Severity::error;
    stage.hover({2, 2});
    EXPECT_EQ(said(stage, run.message), 1u) << "whole";
    EXPECT_EQ(said(stage, "B diverged at step 412"), 2u) << "there and below its boundary";
    for (const char* id : {"loss", "accuracy", "percentiles", "mean", "variance", "gradient"}) {
        bool found = false;
        for (const plot::Rect& words : stage.find("B diverged", fonts(stage).small))
            found = found || stage.panel(id).contains(words.min);
        EXPECT_TRUE(found) << id;
    }
    EXPECT_EQ(stage.find("diverged", fonts(stage).mono).size(), 4u) << "on its cards";
    EXPECT_GT(count(stage.picture(), panel, bad), 300u) << "a frame around its boundary";
    expect_letters_apart(stage);
    expect_letters_whole(stage);

    stage.click(center(stage.the("Pause", fonts(stage).small)));
    EXPECT_TRUE(stage.commands.applied.pause_on_divergence);
    stage.click(center(stage.the("Go on", fonts(stage).small)));
    EXPECT_FALSE(stage.commands.applied.pause_on_divergence);
}

TEST(Honesty, RidgelinesFollowTheStepsShown) {
    Stage stage({}, 2000);
    zoom_in(stage, "loss", 0.4f);
    const plot::Range shown = stage.plot("loss").mapping.x;
    const plot::Rect panel = stage.panel("distribution A");
    std::set<double> steps;
    for (float unit = 0.3f; unit < 0.95f; unit += 0.05f) {
        stage.hover({panel.min.x + panel.width() * 0.45f, panel.min.y + panel.height() * unit});
        if (const auto& reading = stage.plot("distribution A").reading) {
            EXPECT_GE(reading->x, shown.low);
            EXPECT_LE(reading->x, shown.high);
            steps.insert(reading->x);
        }
    }
    EXPECT_GE(steps.size(), 4u);
}

}  // namespace
