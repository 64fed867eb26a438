// The tab of what lies along the gradient: its plots at every size, what they tell, and that only it has them
// measured.
#include <algorithm>
#include <gtest/gtest.h>

#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;

Settings with_twins(size_t count) {
    Settings settings;
    set_twin_count(settings, count);
    settings.landscape = true;
    return settings;
}

TEST(LandscapeTab, HasRoomForAllWordsWithinBudget) {
    for (const ImVec2 size : {ImVec2{1280, 800}, ImVec2{1600, 1000}, ImVec2{2560, 1440}})
        for (const Theme* theme : {&dark_theme(), &light_theme(), &projector_theme()})
            for (const size_t twins : {1u, 2u, 4u}) {
                Stage stage(with_twins(twins), 600, size);
                stage.screen.set_theme(*theme);
                stage.frame();
                lab::testing::expect_letters_apart(stage);
                lab::testing::expect_letters_whole(stage);
                EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
                for (const char* title : {"Loss along the gradient", "Change of the gradient",
                                          "Loss of the next step", "Gradient of the next step"})
                    EXPECT_EQ(stage.seen(title), 1u) << title;
            }
}

TEST(LandscapeTab, IsMeasuredWhileItIsShown) {
    Stage stage;
    stage.open(landscape_tab);
    EXPECT_TRUE(stage.commands.applied.landscape);
    stage.press(key('1'));
    EXPECT_FALSE(stage.commands.applied.landscape);
    EXPECT_EQ(stage.calls("reset"), 0u);
}

TEST(LandscapeTab, SaysWhyThereIsNothing) {
    Stage stage;
    stage.open(landscape_tab);
    EXPECT_EQ(stage.seen("Not looked yet: steps do, every so many"), 5u);
}

TEST(LandscapeTab, TellsTheStepAndTheRate) {
    Stage stage(with_twins(2));
    const auto below = [&](const char* title) {
        const plot::Rect words = stage.the(title, stage.screen.look().fonts.strong);
        return ImVec2{words.min.x + 150, words.max.y + 110};
    };
    stage.hover(below("Loss along the gradient"));
    EXPECT_EQ(stage.seen("A least"), 1u);
    EXPECT_EQ(stage.seen("B most"), 1u);
    EXPECT_GE(stage.seen("step "), 1u);
    stage.hover(below("Loss of the next step"));
    EXPECT_GE(stage.seen("rate 0."), 1u);
}

TEST(LandscapeTab, OnePlotAloneAndBack) {
    Stage stage(with_twins(2));
    stage.hover(center(stage.the("Change of the gradient", stage.screen.look().fonts.strong)));
    stage.press(Key::f11);
    EXPECT_EQ(stage.seen("Change of the gradient"), 1u);
    EXPECT_EQ(stage.seen("Loss of the next step"), 0u);
    stage.press(Key::escape);
    EXPECT_EQ(stage.seen("Loss of the next step"), 1u);
}

}  // namespace
