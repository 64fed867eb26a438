// The tabs of the Lab's window: how they come to the front, and what it takes to add one.
#include <algorithm>
#include <gtest/gtest.h>

#include "lab/stage.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::digit_of;
using lab::testing::Stage;

bool shows_plan(Stage& stage) {
    return !stage.find("A step of twin A", stage.screen.look().fonts.strong).empty();
}

ImVec2 on_tab(Stage& stage, const char* name) {
    return center(stage.the(name, stage.screen.look().fonts.body));
}

TEST(Tabs, ComeToTheFrontByTheirDigits) {
    Stage stage;
    EXPECT_FALSE(shows_plan(stage));
    for (int i = 0; i < 2; ++i) {  // a second press changes nothing
        stage.press(digit_of(plan_tab));
        EXPECT_TRUE(shows_plan(stage));
        EXPECT_TRUE(stage.commands.applied.plan) << "is measured now";
    }
    for (int i = 0; i < 2; ++i) {
        stage.press(key('1'));
        EXPECT_FALSE(shows_plan(stage));
        EXPECT_FALSE(stage.commands.applied.plan);
    }
    stage.press(key('9'));
    EXPECT_FALSE(shows_plan(stage)) << "there is no ninth one";
}

TEST(Tabs, ComeToTheFrontByAClick) {
    Stage stage;
    stage.click(on_tab(stage, "Plan"));
    EXPECT_TRUE(shows_plan(stage));
    stage.click(on_tab(stage, "Live"));
    EXPECT_FALSE(shows_plan(stage));
}

TEST(Tabs, ThePlanIsInFrontWhereTheSettingsAskForIt) {
    Settings settings;
    settings.plan = true;
    Stage stage(settings);
    EXPECT_TRUE(shows_plan(stage));
    EXPECT_EQ(stage.calls("apply"), 0u);
}

TEST(Tabs, ShareTheZoomOfTheirPlots) {
    Stage stage;
    stage.hover(center(stage.panel("loss")));
    stage.screen.input().wheel(0, 2);
    stage.settle();
    const plot::Range zoomed = stage.plot("loss").mapping.x;
    stage.press(digit_of(plan_tab));
    EXPECT_EQ(stage.plot("loss").mapping.x, zoomed);
}

/// A tab as somebody may add it: it draws one word and obeys one key.
class Third final : public Tab {
  public:
    static inline int pressed = 0;

    const char* name() const override { return "Third"; }
    const char* note() const override { return "A tab of a test"; }
    void draw(const TabFrame& frame) override {
        plot::text(*ImGui::GetWindowDrawList(), frame.look.fonts.strong, frame.area.min,
                   frame.look.theme.text, "drawn by the third tab");
    }
    std::vector<Shortcut> shortcuts(PanelGrid&) override {
        return {{.key = key('X'), .keys = "X", .meaning = "only of the third tab", .act = [] { ++pressed; }}};
    }
};

std::unique_ptr<Tab> third_tab() {
    return std::make_unique<Third>();
}

TEST(Tabs, OneMoreTakesAClassAndARegistration) {
    const std::array<MakeTab, 3> tabs = {live_tab, plan_tab, third_tab};
    for (const bool by_key : {true, false}) {
        Third::pressed = 0;
        Stage stage({}, 600, {1280, 800}, tabs);
        const Fonts& fonts = stage.screen.look().fonts;
        const auto drawn = [&] { return stage.find("drawn by the third tab", fonts.strong).size(); };
        EXPECT_EQ(drawn(), 0u);
        stage.press(key('X'));
        EXPECT_EQ(Third::pressed, 0) << "is not in front";

        by_key ? stage.press(key('3')) : stage.click(on_tab(stage, "Third"));
        EXPECT_EQ(drawn(), 1u);
        EXPECT_TRUE(stage.find("Training loss", fonts.strong).empty());
        stage.press(key('X'));
        EXPECT_EQ(Third::pressed, 1);
        stage.screen.input().text('?');
        stage.settle();
        EXPECT_EQ(stage.find("only of the third tab", fonts.body).size(), 1u) << "in the help";
        EXPECT_EQ(stage.find("show the tab of that place", fonts.body).size(), 1u) << "one line for all";
        stage.press(Key::escape);

        by_key ? stage.press(key('1')) : stage.click(on_tab(stage, "Live"));
        EXPECT_EQ(drawn(), 0u);
        EXPECT_FALSE(stage.find("Training loss", fonts.strong).empty());
    }
}

}  // namespace
