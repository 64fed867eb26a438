// The Lab's screen with one to four twins: nothing is missing, cut, or on top of something else.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "app/experiment/presets.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

const ImVec2 large{1600, 1000}, small{1280, 800};
constexpr std::array panels_with_twins = {"loss", "accuracy", "data", "percentiles", "gradient"};

Settings with_twins(size_t count, size_t preset = 0) {
    Settings settings = presets()[preset].settings;
    set_twin_count(settings, count);
    return settings;
}

/// Twins, whether the screen is large, which tab.
class EveryCount : public ::testing::TestWithParam<std::tuple<size_t, bool, bool>> {
  protected:
    size_t twins = std::get<0>(GetParam());
    ImVec2 size = std::get<1>(GetParam()) ? large : small;

    Settings settings(size_t preset = 0) const {
        Settings result = with_twins(twins, preset);
        result.plan = std::get<2>(GetParam());
        return result;
    }
};

TEST_P(EveryCount, NoLetterIsCutOrLiesOnAnother) {
    for (const size_t preset : {0u, 2u})
        for (const uint64_t steps : {0u, 600u, 20'000u}) {
            SCOPED_TRACE(std::string(presets()[preset].name) + ", step " + std::to_string(steps));
            Stage stage(settings(preset), steps, size);
            expect_letters_apart(stage);
            expect_letters_whole(stage);
        }
}

TEST_P(EveryCount, EveryLegendNamesEveryTwin) {
    Stage stage(settings(), 600, size);
    const ImFont* const font = stage.screen.look().fonts.small;
    for (const char* panel : panels_with_twins) {
        const plot::Rect frame = stage.panel(panel);
        if (frame.width() == 0) continue;  // the plan stands in its place
        // Where letters may stand, so that what is before them is whole, too.
        const plot::Rect legend{{frame.min.x + 27, frame.min.y}, {frame.max.x, frame.min.y + 50}};
        for (size_t twin = 0; twin < twins; ++twin) {
            const std::vector<plot::Rect> found = stage.find({twin_letter(twin)}, font);
            EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                                    [&](const plot::Rect& at) { return legend.contains(at.min); }))
                << panel << ", " << twin_letter(twin);
        }
    }
}

TEST_P(EveryCount, EveryTwinHasItsColourInEveryPanel) {
    Stage stage(settings(), 600, size);
    const Picture picture = stage.picture();
    const Theme& theme = stage.screen.look().theme;
    for (size_t twin = 0; twin < theme.twins.size(); ++twin) {
        for (const char* panel : panels_with_twins) {
            const plot::Rect frame = stage.panel(panel);
            if (frame.width() == 0) continue;
            // Classes have the first twins' colours, too.
            const bool by_classes = panel == std::string("data");
            const size_t pixels = count(picture, frame, theme.twins[twin]);
            EXPECT_TRUE(twin < twins ? pixels > 30 : by_classes || pixels == 0)
                << panel << ", " << twin_letter(twin) << ": " << pixels;
        }
        if (twin >= twins) continue;
        const plot::Rect ridgeline = stage.panel(std::string("distribution ") + twin_letter(twin));
        EXPECT_GT(count(picture, ridgeline, theme.twins[twin]), 100u);
    }
}

TEST_P(EveryCount, RidgelinesShareTheirCells) {
    Stage stage(settings(), 600, size);
    float right = stage.layout().tab.min.x - 8;
    for (size_t twin = 0; twin < twins; ++twin) {
        const plot::Rect frame = stage.panel(std::string("distribution ") + twin_letter(twin));
        EXPECT_NEAR(frame.min.x, right + 8, 1.5f);
        right = frame.max.x;
    }
    EXPECT_NEAR(right, stage.plan().min.x - 8, 1.5f) << "the end of the second column";
}

std::string count_name(const ::testing::TestParamInfo<EveryCount::ParamType>& info) {
    return "Twins" + std::to_string(std::get<0>(info.param)) + (std::get<1>(info.param) ? "Large" : "Small") +
           (std::get<2>(info.param) ? "Plan" : "Live");
}

INSTANTIATE_TEST_SUITE_P(Twins, EveryCount,
                         ::testing::Combine(::testing::Values(1u, 2u, 3u, 4u), ::testing::Bool(),
                                            ::testing::Bool()),
                         count_name);

TEST(Twins, StatisticsOfManyHaveAnEntryForEachTwinAndEachKind) {
    Settings settings = with_twins(4);
    for (TwinSettings& twin : settings.twins) twin.norm = vknorm::Norm::batch;
    Stage stage(settings, 600, small);
    expect_letters_apart(stage);
    expect_letters_whole(stage);
    const plot::Rect frame = stage.panel("mean");
    const ImFont* const font = stage.screen.look().fonts.small;
    for (const char* entry : {"A", "B", "C", "D", "batch", "running"}) {
        const std::vector<plot::Rect> found = stage.find(entry, font);
        EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const plot::Rect& at) {
            return frame.contains(center(at));
        })) << entry;
    }
}

TEST(Twins, AreAddedAndRemovedByARightClickOnTheirHeading) {
    Stage stage;
    const Fonts& fonts = stage.screen.look().fonts;
    const auto right_click = [&](const char* heading) {
        stage.hover(center(stage.the(heading, fonts.strong)));
        for (const bool down : {true, false}) stage.screen.input().button(1, down);
        stage.settle();
    };
    right_click("Twin B");
    stage.click(center(stage.the("Add a twin", fonts.body)));
    ASSERT_EQ(stage.commands.applied.twins.size(), 3u);
    EXPECT_EQ(stage.find("Twin C", fonts.strong).size(), 1u);

    right_click("Twin A");
    stage.click(center(stage.the("Remove twin A", fonts.body)));
    ASSERT_EQ(stage.commands.applied.twins.size(), 2u);
    EXPECT_EQ(stage.commands.applied.twins[0], Settings{}.twins[1]) << "B is the first now";
    stage.commands.show(synthetic_run(stage.commands.applied, 0));
    stage.settle();
    expect_letters_whole(stage);
}

TEST(Twins, ChangeTheirNumberWhileTheScreenRuns) {
    Stage stage(with_twins(1));
    for (const size_t count : {4u, 2u, 3u, 1u}) {
        stage.commands.show(synthetic_run(with_twins(count), 300));
        stage.settle();
        size_t ridgelines = 0;
        for (const Panel& panel : stage.shell.panels())
            ridgelines += panel.id.rfind("distribution", 0) == 0 && panel.frame.width() > 0;
        EXPECT_EQ(ridgelines, count);
    }
}

}  // namespace
