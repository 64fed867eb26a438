// The tab of sweeps: what it asks for, how it shows what came of it, and that there is room for all.
#include <algorithm>
#include <gtest/gtest.h>

#include "app/experiment/sweeper.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;

/// So many runs of it are made.
std::shared_ptr<SweepView> view_of(const Settings& base, const char* along, const char* across, size_t made) {
    SweepPlan plan{.base = base, .along = read_axis(along, base), .seeds = 2};
    if (across) plan.across = read_axis(across, base);
    auto view = std::make_shared<SweepView>();
    view->plan = plan;
    const size_t plots = across ? plan.across->values.size() : 1;
    for (uint64_t seed = 0; seed < plan.seeds; ++seed)
        for (size_t j = 0; j < plots; ++j)
            for (size_t i = 0; i < plan.along.values.size(); ++i) {
                SweepCell cell{i, j, base.seed + seed, plan.steps, "run"};
                for (size_t twin = 0; twin < base.twins.size() && view->made < made; ++twin)
                    cell.twins.push_back(
                        {0.5 + 0.03 * static_cast<double>(i + j + seed) + 0.02 * static_cast<double>(twin),
                         0.3});
                view->made += !cell.twins.empty();
                view->cells.push_back(cell);
            }
    view->progress = static_cast<double>(view->made) / static_cast<double>(view->cells.size());
    return view;
}

TEST(SweepTab, AsksForWhatItsControlsSay) {
    Stage stage;
    stage.open(sweep_tab);
    EXPECT_EQ(stage.seen("No sweep yet."), 1u);
    EXPECT_EQ(stage.seen("21 runs of 600 steps"), 1u);
    stage.click(center(stage.the("Start", stage.screen.look().fonts.body)));
    ASSERT_EQ(stage.calls("begin sweep"), 1u);
    const SweepPlan& plan = *stage.commands.sweep_begun;
    EXPECT_EQ(text_of(plan.along), "lr=0.003/0.01/0.03/0.1/0.3/1/3");
    EXPECT_FALSE(plan.across);
    EXPECT_EQ(plan.seeds, 3u);
    EXPECT_EQ(plan.steps, 600u);
    EXPECT_EQ(plan.base, stage.shell.settings());
    EXPECT_EQ(stage.calls("apply"), 0u) << "the run goes on";
}

TEST(SweepTab, TwoSettingsAreAPlotForEachValue) {
    Stage stage;
    stage.open(sweep_tab);
    stage.click(center(stage.the("Nothing else", stage.screen.look().fonts.body)));
    stage.click(center(stage.find("Hidden layers", stage.screen.look().fonts.body).front()));
    stage.click(center(stage.the("Start", stage.screen.look().fonts.body)));
    ASSERT_TRUE(stage.commands.sweep_begun && stage.commands.sweep_begun->across);
    const SweepAxis& across = *stage.commands.sweep_begun->across;
    EXPECT_EQ(across.values.front(), "48,48");
    EXPECT_EQ(number_of(across, across.values.size() - 1), 10);
}

TEST(SweepTab, StopsAndGoesOn) {
    Stage stage;
    auto view = view_of(stage.shell.settings(), "lr=0.003/0.01/0.03/0.1/0.3/1/3", nullptr, 5);
    view->plan.seeds = 3;
    view->running = true;
    view->under_way = "lr 0.3, seed 7";
    stage.commands.swept = view;
    stage.open(sweep_tab);
    EXPECT_EQ(stage.seen("5 of 14 runs"), 1u);
    EXPECT_EQ(stage.seen("lr 0.3, seed 7"), 1u);
    stage.click(center(stage.the("Stop", stage.screen.look().fonts.body)));
    EXPECT_EQ(stage.calls("stop sweep"), 1u);
    auto stopped = std::make_shared<SweepView>(*view);
    stopped->running = false;
    stage.commands.swept = stopped;
    stage.hover({2, 2});
    stage.click(center(stage.the("Go on", stage.screen.look().fonts.body)));
    EXPECT_EQ(stage.calls("begin sweep"), 1u);
    Settings other = stage.shell.settings();
    other.noise = 0.3f;
    stopped = std::make_shared<SweepView>(*stopped);
    stopped->plan.base = other;
    stage.commands.swept = stopped;
    stage.hover({2, 2});
    EXPECT_EQ(stage.seen("Start makes 21 with what is set now"), 1u);
}

TEST(SweepTab, HasRoomForAllWordsAtEverySize) {
    for (const ImVec2 size : {ImVec2{1280, 800}, ImVec2{1600, 1000}, ImVec2{2560, 1440}})
        for (const Theme* theme : {&dark_theme(), &light_theme(), &projector_theme()})
            for (const char* across :
                 {static_cast<const char*>(nullptr), "batch=4/8", "batch=4/8/16/32/64/128"})
                for (const size_t twins : {2u, 4u}) {
                    Settings settings;
                    set_twin_count(settings, twins);
                    Stage stage(settings, 600, size);
                    stage.commands.swept = view_of(settings, "lr=0.003/0.01/0.03/0.1/0.3/1/3", across, 9);
                    stage.screen.set_theme(*theme);
                    stage.frame();
                    stage.open(sweep_tab);
                    lab::testing::expect_letters_apart(stage);
                    lab::testing::expect_letters_whole(stage);
                    EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
                    EXPECT_EQ(stage.seen("Test accuracy"), across ? 0u : 1u);
                    EXPECT_EQ(stage.seen("Batch size 8"), across ? 1u : 0u);
                }
}

TEST(SweepTab, TellsTheMediansAndFillsTheTabWithOnePlot) {
    Stage stage;
    stage.commands.swept = view_of({}, "lr=0.01/0.1", "batch=4/8", 8);
    stage.open(sweep_tab);
    const plot::Rect title = stage.the("Batch size 8", stage.screen.look().fonts.strong);
    stage.hover({title.min.x + 60, title.max.y + 60});
    EXPECT_EQ(stage.seen("Learning rate 0.01"), 1u);
    EXPECT_GE(stage.find("0.545", stage.screen.look().fonts.mono).size(), 1u) << "of 0.53 and 0.56";
    stage.press(Key::f11);
    EXPECT_EQ(stage.seen("Batch size 8"), 1u);
    EXPECT_EQ(stage.seen("Batch size 4"), 0u);
    stage.press(Key::escape);
    EXPECT_EQ(stage.seen("Batch size 4"), 1u);
}

}  // namespace
