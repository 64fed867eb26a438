// The slider that turns time back: what it moves, what it leaves alone, and the ways back to now.
#include <cstring>
#include <gtest/gtest.h>

#include "app/experiment/moments.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

constexpr uint64_t latest = 600, apart = 50;

/// A run whose earlier steps differ from the latest one in all that goes back.
struct Scene {
    explicit Scene(const Settings& settings = {}, ImVec2 size = {1600, 1000})
        : stage(settings, latest, size) {
        Snapshot& run = stage.commands.shown();
        run.run = 1;
        Moments moments;
        for (uint64_t step = apart; step < latest; step += apart) {
            const std::shared_ptr<Snapshot> then = synthetic_run(settings, step);
            then->run = 1;
            for (TwinView& twin : then->twins) {
                for (LayerView& layer : twin.layers) layer.mean = static_cast<float>(step) / 100;
                std::vector<float>& probability = twin.boundary.probability;
                for (size_t i = 0; i < probability.size(); ++i) probability[i] = i % 2 == 0 ? 1 : 0;
                twin.test.push(step, {.accuracy = static_cast<float>(step) / 1000});
            }
            moments.add(*then);
        }
        run.moments = moments.kept();
        stage.hover({2, 2});
    }

    size_t says(const std::string& words) {
        const Fonts& fonts = stage.screen.look().fonts;
        return stage.seen(words) + stage.find(words, fonts.mono).size() +
               stage.find(words, fonts.body).size();
    }
    /// None: now.
    std::optional<uint64_t> looks_at() const { return stage.shell.past_step(); }
    /// About where a step stands on it.
    ImVec2 place_of(uint64_t step) {
        const plot::Rect at = stage.layout().time;
        const float left = at.min.x + 320, right = at.max.x - 90;
        return {left + (right - left) * static_cast<float>(step) / latest, (at.min.y + at.max.y) / 2};
    }
    void look_back(int moments = 1) {
        for (int i = 0; i < moments; ++i) stage.press(key(','));
    }

    Stage stage;
};

TEST(TimeSlider, IsThereWhenThereIsAPast) {
    Stage stage;
    EXPECT_EQ(stage.layout().time.height(), 0);
    EXPECT_EQ(stage.seen("now"), 0u);
    remember(stage.commands.shown(), 100);
    stage.frame();
    stage.frame();
    EXPECT_GT(stage.layout().time.height(), 30);
    EXPECT_EQ(stage.find("step 600", stage.screen.look().fonts.mono).size(), 1u);
    EXPECT_EQ(stage.seen("now"), 1u);
}

TEST(TimeSlider, ShowsThePastAndComesBack) {
    Scene scene;
    Stage& stage = scene.stage;
    const Picture now = stage.picture();
    EXPECT_EQ(scene.says("5.00 \xC2\xB1 1.00"), 0u);
    scene.look_back(2);
    EXPECT_EQ(scene.looks_at(), 500u);
    EXPECT_EQ(scene.says("step 500"), 3u) << "on the slider, of the boundary, in the status bar";
    EXPECT_EQ(scene.says("of 600"), 1u);
    EXPECT_EQ(scene.says("shown"), 1u) << "beside the latest step, in the toolbar";
    EXPECT_EQ(scene.says("Paused, looking back at step 500"), 1u);
    EXPECT_GE(scene.says("5.00 \xC2\xB1 1.00"), 4u) << "on the cards";
    EXPECT_EQ(scene.says("Decision boundary, step 500"), 1u);
    EXPECT_EQ(scene.says("test accuracy 50.0 %"), 2u);
    const Picture then = stage.picture();
    const plot::Rect boundaries = stage.panel("data");
    size_t differ = 0;
    for (auto y = static_cast<uint32_t>(boundaries.min.y) + 40;
         y < static_cast<uint32_t>(boundaries.max.y) - 20; ++y)
        for (auto x = static_cast<uint32_t>(boundaries.min.x); x < static_cast<uint32_t>(boundaries.max.x);
             ++x)
            differ += std::memcmp(now.pixel(x, y), then.pixel(x, y), 3) != 0;
    EXPECT_GT(differ, 5000u);

    stage.click(center(stage.the("now", stage.screen.look().fonts.body)));
    stage.hover({2, 2});
    EXPECT_EQ(scene.looks_at(), std::nullopt);
    EXPECT_EQ(scene.says("looking back"), 0u);
    EXPECT_EQ(stage.picture().rgba, now.rgba);
}

TEST(TimeSlider, MovesALineThroughThePlots) {
    Scene scene;
    scene.look_back(4);
    ASSERT_EQ(scene.looks_at(), 400u);
    const Picture picture = scene.stage.picture();
    const Color line = scene.stage.screen.look().theme.text;
    for (const char* id : {"loss", "accuracy", "percentiles", "mean", "variance", "gradient"}) {
        const plot::Mapping& m = scene.stage.plot(id).mapping;
        const float x = std::round(m.to_x(400));
        const size_t there = count(picture, {{x, m.top}, {x + 1, m.top + m.height}}, line, 40);
        EXPECT_GT(there, m.height / 3) << id;
        EXPECT_LT(there, m.height * 2 / 3) << id << ": dashed";
        EXPECT_EQ(m.x.high, 600) << id << ": the curves are whole";
    }
}

TEST(TimeSlider, TheRidgeInFrontIsOfTheStep) {
    Scene scene;
    scene.look_back(6);
    ASSERT_EQ(scene.looks_at(), 300u);
    EXPECT_EQ(scene.stage.find("300", scene.stage.screen.look().fonts.small).size(), 2u + 7u + 1u)
        << "of both twins, beside ticks of plots and of the slider";
    EXPECT_EQ(scene.stage.find("600", scene.stage.screen.look().fonts.small).size(), 7u + 1u);
}

TEST(TimeSlider, ThePointerDragsIt) {
    Scene scene;
    scene.stage.drag(scene.place_of(580), scene.place_of(330));
    ASSERT_TRUE(scene.looks_at());
    const uint64_t before = *scene.looks_at();
    EXPECT_GE(before, 50u);
    EXPECT_LT(before, 400u);
    EXPECT_EQ(before % apart, 0u) << "a step that was kept";
    scene.stage.drag(scene.place_of(330), {1590, scene.place_of(330).y});
    EXPECT_EQ(scene.looks_at(), std::nullopt) << "its end is now";
    EXPECT_EQ(scene.stage.calls("apply"), 0u);
}

TEST(TimeSlider, KeysMoveItFromAnywhere) {
    Scene scene;
    scene.look_back(3);
    EXPECT_EQ(scene.looks_at(), 450u);
    scene.stage.press(key('.'));
    EXPECT_EQ(scene.looks_at(), 500u);
    scene.look_back(40);
    EXPECT_EQ(scene.looks_at(), 50u) << "the first";
    scene.stage.press(Key::end);
    EXPECT_EQ(scene.looks_at(), std::nullopt);
    scene.look_back();
    scene.stage.press(Key::escape);
    EXPECT_EQ(scene.looks_at(), std::nullopt);
}

TEST(TimeSlider, TheKeyboardReachesIt) {
    Scene scene;
    Stage& stage = scene.stage;
    for (int i = 0; i < 120 && !scene.looks_at(); ++i) {
        stage.press(Key::tab);
        stage.press(Key::home);
    }
    EXPECT_EQ(scene.looks_at(), 50u) << "Home is the first";
    stage.press(Key::right);
    stage.press(Key::right);
    EXPECT_EQ(scene.looks_at(), 150u);
    stage.press(Key::left);
    EXPECT_EQ(scene.looks_at(), 100u);
    stage.press(Key::end);
    EXPECT_EQ(scene.looks_at(), std::nullopt);
    EXPECT_EQ(stage.calls("apply"), 0u);
}

TEST(TimeSlider, PlaysTheRunAgainUpToNow) {
    Scene scene;
    Stage& stage = scene.stage;
    const plot::Rect at = stage.layout().time;
    const float middle = (at.min.y + at.max.y) / 2;
    const ImVec2 play{at.min.x + 28, middle};
    stage.click(play);
    stage.hover({2, 2});
    ASSERT_TRUE(scene.looks_at());
    EXPECT_TRUE(stage.requests.redraw);
    const uint64_t first = *scene.looks_at();
    for (int i = 0; i < 20; ++i) stage.frame();
    ASSERT_TRUE(scene.looks_at());
    EXPECT_GT(*scene.looks_at(), first);
    stage.click(play);
    const auto held = scene.looks_at();
    for (int i = 0; i < 20; ++i) stage.frame();
    EXPECT_EQ(scene.looks_at(), held) << "stays";
    EXPECT_FALSE(stage.requests.redraw);
    for (const plot::Rect& pace : stage.find("4", stage.screen.look().fonts.body))
        if (at.contains(pace.min)) stage.click(center(pace));
    stage.click(play);
    for (int i = 0; i < 60; ++i) stage.frame();
    EXPECT_EQ(scene.looks_at(), std::nullopt);
    EXPECT_FALSE(stage.requests.redraw);
}

TEST(TimeSlider, TrainingGoesOnMeanwhile) {
    Scene scene;
    Snapshot& run = scene.stage.commands.shown();
    run.running = true;
    scene.stage.frame();
    scene.look_back(2);
    run.step += 7;
    scene.stage.frame();
    run.running = false;
    run.step += 2;
    scene.stage.frame();
    scene.stage.frame();
    EXPECT_EQ(scene.looks_at(), 500u) << "pausing does not move it";
    EXPECT_EQ(scene.says("of 609"), 1u);
}

TEST(TimeSlider, IsBackAtNowWhenTheRunIsResumedSteppedOrReplaced) {
    Scene scene;
    Stage& stage = scene.stage;
    const auto expect_back = [&](const char* when, auto change) {
        scene.look_back();
        ASSERT_TRUE(scene.looks_at()) << when;
        change(stage.commands.shown());
        stage.frame();
        EXPECT_EQ(scene.looks_at(), std::nullopt) << when;
    };
    expect_back("resumed", [](Snapshot& run) { run.running = true; });
    stage.commands.shown().running = false;
    stage.frame();
    expect_back("stepped", [](Snapshot& run) { ++run.step; });
    expect_back("another run", [](Snapshot& run) { run.run = 2; });
    expect_back("begun again", [](Snapshot& run) { run.step = 560; });
    scene.look_back();
    stage.commands.shown().moments.clear();
    stage.commands.shown().step = 0;
    stage.frame();
    stage.frame();
    EXPECT_EQ(scene.looks_at(), std::nullopt);
    EXPECT_EQ(stage.layout().time.height(), 0);
}

TEST(TimeSlider, StaysForAnotherLayerAndLeavesForMapsOfAnotherChannel) {
    Scene scene;
    scene.look_back();
    const plot::Rect layers = scene.stage.layout().cards;
    scene.stage.click({layers.min.x + layers.width() * 0.6f, layers.max.y - 20});
    EXPECT_EQ(scene.stage.commands.applied.inspected_layer, 2u);
    EXPECT_EQ(scene.looks_at(), 550u) << "all layers are there";

    Settings settings;
    settings.data = Data::digits;
    settings.model = Model::classifier_small;
    Scene maps(settings);
    maps.look_back();
    EXPECT_EQ(maps.says("Channel 3 of conv2: maps, step 550") + maps.says(", step 550"), 1u);
    const plot::Rect cards = maps.stage.layout().cards;
    maps.stage.click({cards.min.x + cards.width() * 0.15f, cards.max.y - 20});
    EXPECT_EQ(maps.stage.calls("apply"), 1u);
    EXPECT_EQ(maps.looks_at(), std::nullopt) << "of the other channel no map was kept";
}

TEST(TimeSlider, StatisticsAndDistributionsAreOfTheStep) {
    Settings settings;
    settings.distributions = true;
    Scene scene(settings);
    scene.stage.open(statistics_tab);
    EXPECT_EQ(scene.says("BatchNorm, step 600"), 1u);
    scene.look_back(8);
    EXPECT_EQ(scene.says("BatchNorm, step 200"), 1u);
    scene.stage.press(Key::end);
    scene.stage.open(distributions_tab);
    scene.look_back(3);
    ASSERT_EQ(scene.looks_at(), 450u);
    EXPECT_EQ(scene.says("step 450"), 3u) << "on the slider, in the status bar, and of the numbers";
}

TEST(TimeSlider, TheMicroscopeLooksAtTheBatchOfTheStep) {
    Settings settings;
    settings.microscope = true;
    Scene scene(settings);
    scene.look_back(2);
    EXPECT_EQ(scene.says("batch of 32 of step 500"), 1u);
    Snapshot& run = scene.stage.commands.shown();
    auto blind = std::make_shared<Snapshot>(*run.moments[0]);
    for (TwinView& twin : blind->twins) twin.specimens.clear();
    run.moments[0] = blind;
    scene.look_back(20);
    EXPECT_EQ(scene.says("Nothing was captured at step 50."), 1u);
}

TEST(TimeSlider, LeavesRoomInEveryTab) {
    Settings settings;
    settings.distributions = settings.landscape = settings.plan = settings.microscope = true;
    for (const ImVec2 size : {ImVec2{1280, 800}, ImVec2{1600, 1000}, ImVec2{2560, 1440}})
        for (const Theme* theme : {&dark_theme(), &light_theme(), &projector_theme()}) {
            Scene scene(settings, size);
            scene.stage.screen.set_theme(*theme);
            for (const MakeTab tab : all_tabs) {
                SCOPED_TRACE(std::string(theme->name) + " " + std::to_string(static_cast<int>(size.x)) + " " +
                             tab()->name());
                scene.stage.open(tab);
                scene.look_back();
                EXPECT_EQ(scene.looks_at().has_value(), tab()->turns_back());
                expect_letters_apart(scene.stage);
                expect_letters_whole(scene.stage);
            }
        }
}

TEST(TimeSlider, FlagsStandOnItAndLeadThere) {
    Scene scene;
    Stage& stage = scene.stage;
    stage.commands.shown().events = {{430, EventKind::setting, "Learning rate 0.3 to 1"},
                                     {470, EventKind::diverged, "B diverged: a loss that is not a number"}};
    stage.frame();
    stage.frame();
    const plot::Rect at = stage.layout().time;
    std::optional<plot::Rect> flag;
    for (const plot::Rect& one : stage.find("1", stage.screen.look().fonts.small))
        if (at.contains(one.min) && one.max.y < at.min.y + 20) flag = one;
    ASSERT_TRUE(flag);
    stage.click(center(*flag));
    EXPECT_EQ(scene.looks_at(), 450u) << "the first that was kept from there on";
}

}  // namespace
