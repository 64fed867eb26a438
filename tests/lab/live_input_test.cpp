// What clicks, drags and keys on the Live screen do. No device: the screen is read by the triangles it emits.
#include <cmath>
#include <gtest/gtest.h>

#include "app/experiment/presets.hpp"
#include "lab/stage.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;

const Fonts& fonts(Stage& stage) {
    return stage.screen.look().fonts;
}

// A point of the slider named `label`, at `unit` of its length.
ImVec2 on_slider(Stage& stage, const std::string& label, float unit) {
    stage.the(label, fonts(stage).small);
    // "Unit" stands in "Units in each", too, which comes first.
    const plot::Rect words = stage.find(label, fonts(stage).small).back(), column = stage.layout().controls;
    const float left = column.min.x + 14, right = column.max.x - 14;
    return {left + (right - left) * unit, words.min.y + 22};
}

// The middle of the last one of these words: of an open list's entry, lists being drawn last.
ImVec2 on_last(Stage& stage, const std::string& words) {
    const std::vector<plot::Rect> found = stage.find(words, fonts(stage).body);
    if (found.empty()) ADD_FAILURE() << "\"" << words << "\" is not on the screen";
    return found.empty() ? ImVec2{} : center(found.back());
}

TEST(LiveInput, RunStepAndResetReachTheSession) {
    Stage stage;
    stage.click(center(stage.the("Run", fonts(stage).body)));
    EXPECT_EQ(stage.calls("run"), 1u);
    stage.click(center(stage.the("Step", fonts(stage).body)));
    EXPECT_EQ(stage.calls("step"), 1u);
    stage.click(center(stage.the("Reset", fonts(stage).body)));
    EXPECT_EQ(stage.calls("reset"), 1u);
    stage.commands.shown().running = true;
    stage.frame();
    stage.click(center(stage.the("Pause", fonts(stage).body)));
    EXPECT_EQ(stage.calls("pause"), 1u);
    EXPECT_EQ(stage.commands.calls.size(), 4u);
}

TEST(LiveInput, DraggingTheLearningRateChangesIt) {
    Stage stage;
    const float before = stage.shell.settings().learning_rate;
    stage.drag(on_slider(stage, "Learning rate", 0.7f), on_slider(stage, "Learning rate", 0.3f));
    const float after = stage.shell.settings().learning_rate;
    EXPECT_LT(after, before / 2);
    EXPECT_GT(after, limits::min_learning_rate);
    EXPECT_EQ(stage.commands.applied.learning_rate, after);
    Settings expected;
    expected.learning_rate = after;
    EXPECT_EQ(stage.shell.settings(), expected) << "something else changed too";
}

TEST(LiveInput, EverySliderReachesBothItsEnds) {
    Stage stage;
    const struct {
        const char* label;
        float low, high;
        std::function<float(const Settings&)> value;
    } sliders[] = {
        {"Noise", 0, limits::max_noise, [](const Settings& s) { return s.noise; }},
        {"Batch size", 1, limits::max_batch, [](const Settings& s) { return static_cast<float>(s.batch); }},
        {"Hidden layers", 1, limits::max_layers,
         [](const Settings& s) { return static_cast<float>(s.hidden.size()); }},
        {"Units in each", 1, 128, [](const Settings& s) { return static_cast<float>(s.hidden[0]); }},
        {"Learning rate", limits::min_learning_rate, limits::max_learning_rate,
         [](const Settings& s) { return s.learning_rate; }},
        {"Weight decay", 0, 0.1f, [](const Settings& s) { return s.weight_decay; }},
        {"Momentum of running statistics", 0, 1, [](const Settings& s) { return s.norm_momentum; }},
    };
    for (const auto& slider : sliders) {
        stage.drag(on_slider(stage, slider.label, 0.5f), on_slider(stage, slider.label, -0.2f));
        EXPECT_FLOAT_EQ(slider.value(stage.shell.settings()), slider.low) << slider.label;
        stage.drag(on_slider(stage, slider.label, 0.5f), on_slider(stage, slider.label, 1.2f));
        EXPECT_FLOAT_EQ(slider.value(stage.shell.settings()), slider.high) << slider.label;
        EXPECT_EQ(stage.commands.applied, stage.shell.settings());
    }
}

TEST(LiveInput, ADragOfWhatBeginsANewRunBeginsOne) {
    Stage stage;
    stage.drag(on_slider(stage, "Noise", 0.3f), on_slider(stage, "Noise", 0.8f));
    EXPECT_EQ(stage.calls("apply"), 1u);
}

TEST(LiveInput, TheNormOfATwinIsChosenFromAList) {
    Stage stage;
    stage.click(center(stage.the("BatchNorm", fonts(stage).body)));
    const auto offered = stage.find("None", fonts(stage).body);
    ASSERT_EQ(offered.size(), 2u) << "one is twin B's, the other the list's";
    for (const char* norm : {"LayerNorm", "GroupNorm", "RMSNorm", "BatchRenorm", "GhostNorm"})
        EXPECT_EQ(stage.find(norm, fonts(stage).body).size(), 1u) << norm;
    stage.click(center(offered.back()));
    EXPECT_EQ(stage.shell.settings().twins[0].norm, vknorm::Norm::none);
    EXPECT_EQ(stage.commands.applied.twins[0].norm, vknorm::Norm::none);
}

TEST(LiveInput, GroupsAndGhostSizesAreOfferedWhereTheyApply) {
    Stage stage;
    EXPECT_TRUE(stage.find("Groups", fonts(stage).small).empty());
    EXPECT_TRUE(stage.find("Ghost size", fonts(stage).small).empty());
    const auto choose = [&](const char* from, const char* to) {
        stage.click(center(stage.the(from, fonts(stage).body)));
        stage.click(on_last(stage, to));
    };
    choose("BatchNorm", "GroupNorm");
    stage.drag(on_slider(stage, "Groups", 0.1f), on_slider(stage, "Groups", 1.2f));
    EXPECT_EQ(stage.commands.applied.twins[0].groups, 48u);
    stage.drag(on_slider(stage, "Units in each", 0.4f), on_slider(stage, "Units in each", 0.2f));
    const Settings& fewer = stage.commands.applied;
    EXPECT_NE(fewer.hidden[0], 48u);
    EXPECT_EQ(fewer.hidden[0] % fewer.twins[0].groups, 0u)
        << fewer.hidden[0] << ", " << fewer.twins[0].groups;

    choose("GroupNorm", "GhostNorm");
    EXPECT_TRUE(stage.find("Groups", fonts(stage).small).empty());
    stage.drag(on_slider(stage, "Ghost size", 0.1f), on_slider(stage, "Ghost size", -0.2f));
    EXPECT_EQ(stage.commands.applied.twins[0].ghost_size, limits::min_ghost);
}

TEST(LiveInput, ARightClickOnACardChangesTheNormOfItsLayer) {
    Stage stage;
    const ImVec2 card = center(stage.the("hidden 3", fonts(stage).small));
    stage.hover(card);
    for (const bool down : {true, false}) stage.screen.input().button(1, down);
    stage.settle();
    // Twin A's list is the second with its norm: the first stands in the column.
    stage.click(on_last(stage, "BatchNorm"));
    stage.click(on_last(stage, "RMSNorm"));
    TwinSettings wanted = Settings{}.twins[0];
    wanted.exceptions = {{2, vknorm::Norm::rms}};
    EXPECT_EQ(stage.commands.applied.twins[0], wanted);
    EXPECT_EQ(stage.commands.applied.twins[1], Settings{}.twins[1]);
    stage.click(on_last(stage, "RMSNorm"));
    stage.click(on_last(stage, "BatchNorm"));
    EXPECT_EQ(stage.commands.applied.twins, Settings{}.twins) << "no exception any more";
    stage.click(on_last(stage, "BatchNorm"));
    stage.click(on_last(stage, "RMSNorm"));
    stage.click({5, 5});
    EXPECT_EQ(stage.find("RMSNorm", fonts(stage).small).size(), 1u) << "on its card";

    stage.click(center(stage.the("Mixed", fonts(stage).body)));
    stage.click(on_last(stage, "LayerNorm"));
    wanted = {vknorm::Norm::layer, vknorm::Activation::relu};
    EXPECT_EQ(stage.commands.applied.twins[0], wanted) << "all layers again";
}

TEST(LiveInput, PlotsOfRunningStatisticsSayWhyThereAreNone) {
    const auto said = [](const char* words, const TwinSettings& twin) {
        Settings settings;
        settings.twins[0] = twin;
        Stage stage(settings);
        return stage.find(words, fonts(stage).small).size();
    };
    const char *const per_example = "No running statistics", *const none = "No twin normalizes";
    const TwinSettings layer{vknorm::Norm::layer}, plain{vknorm::Norm::none};
    TwinSettings mixed = layer;
    mixed.set_norm_of(Settings{}.inspected_layer, vknorm::Norm::batch_renorm);
    EXPECT_EQ(said(per_example, layer), 2u) << "of mean and variance";
    EXPECT_EQ(said(none, plain), 2u);
    EXPECT_EQ(said(per_example, mixed) + said(none, mixed), 0u) << "this layer has some";
}

TEST(LiveInput, APresetReplacesTheSettingsAndBeginsAgain) {
    Stage stage;
    const Preset& wanted = presets()[1];
    stage.click(center(stage.the(presets()[0].name, fonts(stage).body)));
    stage.click(on_last(stage, wanted.name));
    EXPECT_EQ(stage.commands.applied.hidden, wanted.settings.hidden);
    EXPECT_EQ(stage.commands.applied.data, wanted.settings.data);
    EXPECT_EQ(stage.calls("reset"), 0u) << "other data begin a new run by themselves";
}

TEST(LiveInput, ACardInspectsItsLayer) {
    Stage stage;
    stage.click(center(stage.the("hidden 4", fonts(stage).small)));
    EXPECT_EQ(stage.commands.applied.inspected_layer, 3u);
}

TEST(LiveInput, FewerUnitsKeepTheInspectedOneInside) {
    Stage stage;
    stage.drag(on_slider(stage, "Unit", 0.1f), on_slider(stage, "Unit", 1.2f));
    EXPECT_EQ(stage.shell.settings().inspected_unit, 47u);
    stage.drag(on_slider(stage, "Units in each", 0.4f), on_slider(stage, "Units in each", -0.1f));
    EXPECT_EQ(stage.shell.settings().inspected_unit, 0u);
    stage.drag(on_slider(stage, "Hidden layers", 0.4f), on_slider(stage, "Hidden layers", -0.1f));
    EXPECT_EQ(stage.shell.settings().inspected_layer, 0u);
}

TEST(LiveInput, KeysDoWhatTheHelpSays) {
    Stage stage;
    stage.press(key(' '));
    EXPECT_EQ(stage.calls("run"), 1u);
    stage.press(key('S'));
    EXPECT_EQ(stage.calls("step"), 1u);
    stage.press(key('R'));
    EXPECT_EQ(stage.calls("reset"), 1u);
    stage.press(key('T'));
    EXPECT_EQ(stage.commands.applied.statistics, vknorm::Statistics::running);
    stage.press(key('F'));
    EXPECT_FALSE(stage.commands.applied.update_running || stage.commands.applied.train_affine);
    stage.press(key('F'));
    EXPECT_TRUE(stage.commands.applied.update_running && stage.commands.applied.train_affine);
    stage.press(key('B'));
    EXPECT_EQ(stage.commands.applied.twins[0].norm, vknorm::Norm::layer);
    stage.press(key('D'));
    EXPECT_FALSE(stage.screen.look().theme.dark);
    stage.press(Key::f12);
    EXPECT_TRUE(stage.requests.screenshot);
    stage.screen.input().key(Key::control, true);
    stage.press(key('E'));
    EXPECT_FALSE(stage.requests.close);
    stage.press(key('Q'));
    stage.screen.input().key(Key::control, false);
    EXPECT_TRUE(stage.requests.export_run);
    EXPECT_TRUE(stage.requests.close);
}

TEST(LiveInput, KeysHeldWithControlAreNotTheirPlainSelves) {
    Stage stage;
    stage.screen.input().key(Key::control, true);
    stage.press(key('S'));
    EXPECT_TRUE(stage.commands.calls.empty());
}

TEST(LiveInput, HelpOpensAndCloses) {
    Stage stage;
    for (const bool by_key : {true, false}) {
        stage.screen.input().text('?');
        stage.settle();
        EXPECT_EQ(stage.find("Keys and gestures", fonts(stage).body).size(), 1u);
        stage.press(key(' '));
        EXPECT_TRUE(stage.commands.calls.empty()) << "keys reach the screen below";
        by_key ? stage.press(Key::escape) : stage.click({5, 5});
        EXPECT_TRUE(stage.find("Keys and gestures", fonts(stage).body).empty());
    }
}

TEST(LiveInput, ThePlanOfAStepIsMeasuredOnlyWhileItIsShown) {
    Stage stage;
    const auto title = [&](const char* words) { return stage.find(words, fonts(stage).strong).size(); };
    EXPECT_FALSE(stage.shell.settings().plan);
    EXPECT_EQ(title("A step of twin A"), 0u);
    for (const bool by_key : {true, false}) {
        const auto toggle = [&] {
            const char* const other = stage.shell.settings().plan ? "Live" : "Plan";
            by_key ? stage.press(key('P')) : stage.click(center(stage.the(other, fonts(stage).body)));
        };
        toggle();
        EXPECT_TRUE(stage.commands.applied.plan);
        EXPECT_EQ(title("A step of twin A"), 1u);
        EXPECT_EQ(title("Gradient norm"), 0u) << "makes room";
        toggle();
        EXPECT_FALSE(stage.commands.applied.plan);
        EXPECT_EQ(title("A step of twin A"), 0u);
        EXPECT_EQ(title("Gradient norm"), 1u);
    }
}

TEST(LiveInput, ThePlanSaysWhoseStepItIsAndWhereItsTimeGoes) {
    Settings settings;
    settings.plan = true;
    Stage stage(settings);
    const auto said = [&](const char* words) { return stage.find(words, fonts(stage).small).size(); };
    for (const char* kind : {"linear", "norm", "activation", "loss", "optimizer", "probes and readback"})
        EXPECT_GT(said(kind), 0u) << kind;
    EXPECT_GT(said("1 slice of 128 x 100 channels x 1"), 0u);
    const plot::Rect plan = stage.plan();
    stage.click({plan.max.x - 20, plan.min.y + 17});
    EXPECT_EQ(stage.find("A step of twin B", fonts(stage).strong).size(), 1u);

    stage.commands.shown().has_timestamps = false;
    stage.frame();
    EXPECT_EQ(said("This device has no timestamps"), 1u);
    EXPECT_EQ(said("probes and readback"), 0u);
}

TEST(LiveInput, NumbersCanBeTyped) {
    Stage stage;
    stage.screen.input().key(Key::control, true);
    stage.click(on_slider(stage, "Learning rate", 0.5f));
    stage.screen.input().key(Key::control, false);
    stage.settle();
    for (const char character : std::string("0.025"))
        stage.screen.input().text(static_cast<uint32_t>(character));
    stage.press(Key::enter);
    EXPECT_FLOAT_EQ(stage.shell.settings().learning_rate, 0.025f);
}

TEST(LiveInput, WheelZoomsTheStepsOfAllPlotsAndADoubleClickFits) {
    Stage stage;
    const ImVec2 at = center(stage.panel("loss"));
    stage.hover(at);
    const plot::Mapping before = stage.plot("loss").mapping;
    stage.screen.input().wheel(0, 2);
    stage.settle();
    const plot::Mapping after = stage.plot("loss").mapping;
    EXPECT_NEAR(after.x.length(), before.x.length() * 0.64, 1);
    EXPECT_NEAR(after.from_x(at.x), before.from_x(at.x), 1);
    EXPECT_EQ(stage.plot("gradient").mapping.x, after.x);
    stage.drag(at, {at.x + 50, at.y});
    EXPECT_NEAR(stage.plot("loss").mapping.from_x(at.x + 50), after.from_x(at.x), 2);
    for (int i = 0; i < 2; ++i) stage.screen.input().button(0, true), stage.screen.input().button(0, false);
    stage.settle();
    EXPECT_EQ(stage.plot("loss").mapping.x, before.x);
}

TEST(LiveInput, ShiftAndWheelZoomTheValuesOfOnePlot) {
    Stage stage;
    stage.hover(center(stage.panel("accuracy")));
    const plot::Range before = stage.plot("accuracy").mapping.y, other = stage.plot("loss").mapping.y;
    stage.screen.input().key(Key::shift, true);
    stage.screen.input().wheel(0, 1);
    stage.settle();
    EXPECT_LT(stage.plot("accuracy").mapping.y.length(), before.length() * 0.9);
    EXPECT_EQ(stage.plot("loss").mapping.y, other);
}

TEST(LiveInput, TheReadOutSaysTheValuesOfTheData) {
    Stage stage;
    const Snapshot& run = stage.commands.shown();
    for (const float unit : {0.2f, 0.5f, 0.9f}) {
        const plot::Mapping& m = stage.plot("variance").mapping;
        stage.hover({m.left + unit * m.width, m.top + 10});
        ASSERT_TRUE(stage.plot("variance").reading);
        const plot::Reading& reading = *stage.plot("variance").reading;
        const auto& entry = run.twins[0].unit[static_cast<size_t>(reading.x) - 1];
        EXPECT_NEAR(reading.x, m.from_x(m.left + unit * m.width), m.x.length() / m.width + 0.5);
        ASSERT_EQ(reading.lines.size(), 2u);
        EXPECT_FLOAT_EQ(static_cast<float>(reading.lines[0].value), entry.value.batch_variance);
        EXPECT_FLOAT_EQ(static_cast<float>(reading.lines[1].value), entry.value.running_variance);
        EXPECT_FALSE(stage.find(plot::short_number(reading.lines[1].value), fonts(stage).mono).empty());
    }
}

TEST(LiveInput, TheReadOutOfADistributionSaysTheShare) {
    Stage stage;
    const plot::Rect panel = stage.panel("distribution A");
    stage.hover({panel.min.x + panel.width() * 0.45f, panel.max.y - 32});
    ASSERT_TRUE(stage.plot("distribution A").reading);
    const double share = stage.plot("distribution A").reading->lines.at(0).value;
    const auto& shares = stage.commands.shown().twins[0].layers[1].normalized.share;
    EXPECT_TRUE(
        std::any_of(shares.begin(), shares.end(), [&](float s) { return std::abs(s - share) < 1e-6; }));
}

TEST(LiveInput, OnePlotCanHaveTheWholeArea) {
    Stage stage;
    stage.hover(center(stage.panel("gradient")));
    stage.press(Key::f11);
    EXPECT_FALSE(stage.find("Gradient norm", fonts(stage).strong).empty());
    EXPECT_TRUE(stage.find("Training loss", fonts(stage).strong).empty());
    EXPECT_GT(stage.plot("gradient").mapping.width, 900);
    stage.press(Key::escape);
    EXPECT_FALSE(stage.find("Training loss", fonts(stage).strong).empty());
}

TEST(LiveInput, LogAndLinearAreSwitchedByKeyAndByChip) {
    Stage stage;
    stage.hover(center(stage.panel("loss")));
    stage.press(key('L'));
    EXPECT_EQ(stage.plot("loss").mapping.y_scale, plot::Scale::linear);
    stage.click(center(stage.the("lin", fonts(stage).small)));
    EXPECT_EQ(stage.plot("loss").mapping.y_scale, plot::Scale::log);
}

TEST(LiveInput, SectionsFold) {
    Stage stage;
    stage.click(center(stage.the("Optimiser", fonts(stage).strong)));
    EXPECT_TRUE(stage.find("Learning rate", fonts(stage).small).empty());
    stage.click(center(stage.the("Optimiser", fonts(stage).strong)));
    EXPECT_FALSE(stage.find("Learning rate", fonts(stage).small).empty());
}

TEST(LiveInput, TheSessionsMessageIsShown) {
    Stage stage;
    stage.commands.shown().message = "batch of one: nothing to normalize";
    stage.commands.shown().severity = Severity::warning;
    stage.frame();
    EXPECT_FALSE(stage.find("batch of one: nothing to normalize", fonts(stage).small).empty());
}

}  // namespace
