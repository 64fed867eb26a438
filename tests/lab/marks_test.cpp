// What happened is marked on every plot over steps, earlier runs stay as grey curves, and there is a way
// back.
#include <gtest/gtest.h>

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

constexpr const char* time_plots[] = {"loss", "accuracy", "percentiles", "mean", "variance", "gradient"};

std::vector<Event> some_events() {
    return {{200, EventKind::setting, "Learning rate 0.3 \xE2\x86\x92 1"},
            {360, EventKind::setting, "Momentum of running statistics 0.1 \xE2\x86\x92 0.01"},
            {412, EventKind::diverged, "B diverged: a loss that is not a number"},
            {414, EventKind::frozen, "Running statistics, gamma and beta stay as they are"}};
}

class EveryMark : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Marks, EveryMark, ::testing::Bool(),
                         [](const auto& large) { return large.param ? "Large" : "Small"; });

TEST_P(EveryMark, IsALineWithAFlagInEveryPlotOverSteps) {
    Stage stage({}, 600, GetParam() ? ImVec2{1600, 1000} : ImVec2{1280, 800});
    stage.commands.shown().events = some_events();
    stage.hover({2, 2});
    const Picture picture = stage.picture();
    const Theme& theme = stage.screen.look().theme;
    for (const char* id : time_plots) {
        const plot::Mapping& m = stage.plot(id).mapping;
        for (const auto& [step, color] :
             {std::pair(200.0, theme.grip), {360.0, theme.grip}, {412.0, theme.bad}}) {
            const float x = std::round(m.to_x(step));
            EXPECT_GT(count(picture, {{x, m.top}, {x + 1, m.top + m.height}}, color, 60), m.height / 3)
                << id << ", " << step;
            EXPECT_GT(count(picture, {{x - 5, m.top - 14}, {x + 5, m.top}}, color, 20), 30u)
                << id << ", " << step;
        }
    }
    EXPECT_EQ(said(stage, "Learning rate 0.3 \xE2\x86\x92 1"), 1u) << "below the plots";
    expect_letters_apart(stage);
    expect_letters_whole(stage);
}

TEST(Marks, ExplainThemselvesUnderThePointer) {
    Stage stage;
    stage.commands.shown().events = some_events();
    stage.frame();
    const plot::Mapping& m = stage.plot("loss").mapping;
    stage.hover({m.to_x(200), m.top - 6});
    EXPECT_EQ(said(stage, "step 200"), 1u);
    EXPECT_EQ(said(stage, "1 Learning rate 0.3 \xE2\x86\x92 1"), 2u) << "there, and below the plots";
    stage.hover({m.to_x(413), m.top - 6});
    EXPECT_EQ(said(stage, "steps 412 to 414"), 1u) << "flags that would lie on each other are one";
    EXPECT_GE(said(stage, "3 B diverged: a loss that is not a number"), 1u);
    stage.hover({m.to_x(360), m.top + 20});
    EXPECT_GE(said(stage, "2 Momentum of running statistics 0.1 \xE2\x86\x92 0.01"), 1u)
        << "on its line, too";
    EXPECT_TRUE(stage.plot("loss").reading);
}

TEST(Marks, AClickZoomsThereAndBack) {
    Stage stage;
    stage.commands.shown().events = some_events();
    stage.frame();
    const plot::Range all = stage.plot("loss").mapping.x;
    const auto on_flag = [&](double step) {
        const plot::Mapping& m = stage.plot("accuracy").mapping;
        return ImVec2{m.to_x(step), m.top - 6};
    };
    stage.click(on_flag(200));
    for (const char* id : time_plots) {
        EXPECT_LT(stage.plot(id).mapping.x.length(), all.length() / 5) << id;
        EXPECT_NEAR(stage.plot(id).mapping.to_x(200),
                    stage.plot(id).mapping.left + stage.plot(id).mapping.width / 2, 2);
    }
    stage.click(on_flag(200));
    EXPECT_EQ(stage.plot("loss").mapping.x, all);
    stage.click(center(stage.the("Momentum of running statistics 0.1", fonts(stage).small)));
    EXPECT_LT(stage.plot("loss").mapping.x.length(), all.length() / 5);
}

TEST(Marks, ManyEventsHaveRoom) {
    Stage stage({}, 600, least_window);
    for (uint64_t step = 10; step < 600; step += 7)
        stage.commands.shown().events.push_back(
            {step, EventKind::setting, "Learning rate 0.3 \xE2\x86\x92 1"});
    stage.frame();
    expect_letters_apart(stage);
    expect_letters_whole(stage);
    EXPECT_EQ(said(stage, "earlier"), 1u);
}

/// Another run takes the place of the one shown.
void begin_again(Stage& stage, uint64_t steps) {
    auto next = synthetic_run({}, steps);
    next->run = 2;
    next->can_undo = true;
    next->kept = {keep(stage.commands.shown(), 1, "Noise 0.16 \xE2\x86\x92 0.3")};
    stage.commands.show(next);
    stage.frame();
    stage.frame();
}

Stage& first_run(Stage& stage) {
    stage.commands.shown().run = 1;
    stage.frame();
    return stage;
}

TEST(Ghosts, ARestartIsSaidAndUndone) {
    for (const bool by_key : {false, true}) {
        Stage stage;
        begin_again(first_run(stage), 600);
        EXPECT_EQ(said(stage, "Restarted: Noise 0.16 \xE2\x86\x92 0.3 began run 2. Run 1 is kept."), 1u);
        expect_letters_apart(stage);
        expect_letters_whole(stage);
        if (by_key) {
            stage.screen.input().key(Key::control, true);
            stage.press(key('Z'));
            stage.screen.input().key(Key::control, false);
            stage.settle();
        } else {
            stage.click(center(stage.the("Undo", fonts(stage).small)));
        }
        EXPECT_EQ(stage.calls("undo"), 1u);
        EXPECT_EQ(stage.calls("apply"), 0u);
        for (int i = 0; by_key && i < 16 * 30; ++i) stage.frame();
        EXPECT_EQ(said(stage, "Restarted: Noise"), 0u) << "for some seconds only";
    }
}

TEST(Ghosts, KeysRedo) {
    Stage stage;
    for (const bool with_shift : {false, true}) {
        stage.screen.input().key(Key::control, true);
        if (with_shift) stage.screen.input().key(Key::shift, true);
        stage.press(key(with_shift ? 'Z' : 'Y'));
        if (with_shift) stage.screen.input().key(Key::shift, false);
        stage.screen.input().key(Key::control, false);
        stage.settle();
        EXPECT_EQ(stage.calls("redo"), with_shift ? 2u : 1u);
    }
    EXPECT_EQ(stage.calls("undo"), 0u);
}

TEST(Ghosts, SettingsThatComeBackAreShownAndNotSentAgain) {
    Stage stage;
    Snapshot& run = stage.commands.shown();
    run.settings.twins[0].norm = vknorm::Norm::rms;
    run.settings.noise = 0.3f;
    run.settings_restored = 1;
    stage.settle();
    EXPECT_EQ(stage.shell.settings(), run.settings);
    EXPECT_EQ(stage.calls("apply"), 0u);
}

TEST(Ghosts, AreGreyCurvesBehindTheRun) {
    for (const bool large : {true, false}) {
        Stage stage({}, 600, large ? ImVec2{1600, 1000} : ImVec2{1280, 800});
        // Another curve, so that the run does not cover it.
        begin_again(first_run(stage), 600);
        for (TwinView& twin : stage.commands.shown().twins) twin = {};
        stage.commands.shown().twins[0].training.push(1, {.loss = 1});
        stage.commands.shown().twins[0].test.push(1, {0.5f, 0.5f, 1});
        stage.hover({2, 2});
        const Picture picture = stage.picture();
        const Color grey = stage.screen.look().theme.ghost;
        for (const char* id : {"loss", "accuracy", "gradient"}) {
            const plot::Mapping& m = stage.plot(id).mapping;
            EXPECT_GT(count(picture, {{m.left, m.top}, {m.left + m.width, m.top + m.height}}, grey, 40), 100u)
                << id;
        }
        EXPECT_GE(said(stage, "run 1"), 6u) << "in every legend";
        expect_letters_apart(stage);
        expect_letters_whole(stage);
    }
}

TEST(Ghosts, TheAxisShowsWhatCameNextInTheEarlierRun) {
    Stage stage;
    begin_again(first_run(stage), 30);
    EXPECT_EQ(stage.plot("loss").mapping.x, (plot::Range{1, 160}));
    begin_again(stage, 500);
    EXPECT_LE(stage.plot("loss").mapping.x.high, 600);
}

TEST(Ghosts, RunsArePinnedAndBroughtBack) {
    Stage stage;
    begin_again(first_run(stage), 600);
    const plot::Rect runs = stage.layout().runs;
    EXPECT_EQ(said(stage, "run 2, now"), 1u);
    stage.click({runs.max.x - 20, runs.max.y - 16});
    EXPECT_EQ(stage.calls("pin 1"), 1u);
    stage.commands.shown().kept[0].pinned = true;
    stage.frame();
    stage.click({runs.max.x - 20, runs.max.y - 16});
    EXPECT_EQ(stage.calls("unpin 1"), 1u);
    stage.click({runs.min.x + 60, runs.max.y - 16});
    EXPECT_EQ(stage.calls("bring back 1"), 1u);
}

}  // namespace
