// The tab of what lies along the gradient: its plots at every size, what they tell, and that only it has them
// measured.
#include <algorithm>
#include <gtest/gtest.h>

#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;

void open_tab(Stage& stage) {
    stage.click(center(stage.the("Landscape", stage.screen.look().fonts.body)));
    stage.hover({2, 2});
}

size_t seen(Stage& stage, const std::string& words) {
    const Fonts& fonts = stage.screen.look().fonts;
    return stage.find(words, fonts.small).size() + stage.find(words, fonts.strong).size();
}

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
                    EXPECT_EQ(seen(stage, title), 1u) << title;
            }
}

TEST(LandscapeTab, IsMeasuredWhileItIsShown) {
    Stage stage;
    open_tab(stage);
    EXPECT_TRUE(stage.commands.applied.landscape);
    stage.press(key('1'));
    EXPECT_FALSE(stage.commands.applied.landscape);
    EXPECT_EQ(stage.calls("reset"), 0u);
}

TEST(LandscapeTab, SaysWhyThereIsNothing) {
    Stage stage;
    open_tab(stage);
    EXPECT_EQ(seen(stage, "Not looked yet: steps do, every so many"), 5u);
}

TEST(LandscapeTab, TellsTheStepAndTheRate) {
    Stage stage(with_twins(2));
    const auto below = [&](const char* title) {
        const plot::Rect words = stage.the(title, stage.screen.look().fonts.strong);
        return ImVec2{words.min.x + 150, words.max.y + 110};
    };
    stage.hover(below("Loss along the gradient"));
    EXPECT_EQ(seen(stage, "A least"), 1u);
    EXPECT_EQ(seen(stage, "B most"), 1u);
    EXPECT_GE(seen(stage, "step "), 1u);
    stage.hover(below("Loss of the next step"));
    EXPECT_GE(seen(stage, "rate 0."), 1u);
}

TEST(LandscapeTab, OnePlotAloneAndBack) {
    Stage stage(with_twins(2));
    stage.hover(center(stage.the("Change of the gradient", stage.screen.look().fonts.strong)));
    stage.press(Key::f11);
    EXPECT_EQ(seen(stage, "Change of the gradient"), 1u);
    EXPECT_EQ(seen(stage, "Loss of the next step"), 0u);
    stage.press(Key::escape);
    EXPECT_EQ(seen(stage, "Loss of the next step"), 1u);
}

}  // namespace
