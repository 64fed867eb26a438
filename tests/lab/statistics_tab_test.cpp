// The tab of a norm's channels: that it shows what the trainer measured, at every size and for every norm,
// and what keys, pointer and clicks do to it.
#include <algorithm>
#include <gtest/gtest.h>

#include "app/experiment/lockstep.hpp"
#include "app/experiment/words.hpp"
#include "app/lab/statistics/channels.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;
using vknorm::Norm;

const ImVec2 sizes[] = {{1280, 800}, {1600, 1000}, {2560, 1440}};

/// Below the title of a map, so far into it.
ImVec2 in_map(Stage& stage, const char* title, ImVec2 by) {
    const plot::Rect words = stage.the(title, stage.screen.look().fonts.strong);
    return {words.min.x + by.x, words.max.y + by.y};
}

struct Told {
    uint32_t channel;
    uint64_t step;
};
/// Of which channel and step the read-out tells.
std::optional<Told> told(Stage& stage, uint32_t channels, uint64_t steps) {
    for (uint32_t channel = 0; channel < channels; ++channel)
        for (uint64_t step = 1; step <= steps; ++step)
            if (stage.seen("unit " + std::to_string(channel) + ", step " + std::to_string(step)))
                return Told{channel, step};
    return std::nullopt;
}

/// A run that was trained, not made up.
struct Trained {
    static constexpr uint64_t steps = 12;

    Trained() {
        settings.hidden = {8, 8};
        Trainer trainer(device, settings, make_run_data(settings));
        for (uint64_t step = 0; step < steps; ++step) trainer.step();
        trainer.describe(*run);
        run->run = 1;
    }

    vknorm::Device device{lab::testing::test_device()};
    Settings settings;
    std::shared_ptr<Snapshot> run = std::make_shared<Snapshot>();
};

TEST(StatisticsTab, TellsWhatTheTrainerMeasured) {
    Trained trained;
    Stage stage(trained.settings);
    stage.commands.show(trained.run);
    stage.open(statistics_tab);
    const History<std::vector<ChannelRow>>& history = trained.run->twins[0].channels[1];
    const std::pair<const char*, float ChannelRow::*> maps[] = {
        {"Batch mean", &ChannelRow::batch_mean},
        {"Batch variance", &ChannelRow::batch_variance},
        {"Gamma", &ChannelRow::gamma},
        {"Beta", &ChannelRow::beta},
        {"Gap", &ChannelRow::gap}};
    ImFont* const mono = stage.screen.look().fonts.mono;
    for (const auto& [title, member] : maps)
        for (const ImVec2 by : {ImVec2{30, 60}, ImVec2{110, 120}, ImVec2{160, 240}}) {
            stage.hover(in_map(stage, title, by));
            const auto where = told(stage, 8, Trained::steps);
            ASSERT_TRUE(where) << title;
            const ChannelRow& row = history[where->step - 1].value[where->channel];
            ASSERT_EQ(history[where->step - 1].step, where->step);
            EXPECT_GE(stage.find(plot::short_number(double{row.*member}), mono).size(), 1u)
                << title << ", unit " << where->channel << ", step " << where->step;
        }
    stage.hover({2, 2});
    for (const ChannelRow& row : trained.run->twins[0].layers[1].channels)  // in the table
        for (const float ChannelRow::*const member : ChannelRow::numbers)
            EXPECT_GE(stage.find(decimals(row.*member), mono).size(), 1u) << row.*member;
}

TEST(StatisticsTab, AClickInspectsTheChannelEverywhere) {
    Trained trained;
    Stage stage(trained.settings);
    stage.commands.show(trained.run);
    stage.open(statistics_tab);
    stage.click(in_map(stage, "Gamma", {60, 200}));
    const auto where = told(stage, 8, Trained::steps);
    ASSERT_TRUE(where);
    EXPECT_NE(where->channel, 3u);
    EXPECT_EQ(stage.commands.applied.inspected_unit, where->channel);
    EXPECT_EQ(stage.seen("Unit " + std::to_string(where->channel)), 1u) << "its numbers";

    const ChannelRow& first = trained.run->twins[0].layers[1].channels[0];
    stage.click(center(stage.find(decimals(first.running_variance), stage.screen.look().fonts.mono).back()));
    EXPECT_EQ(stage.commands.applied.inspected_unit, 0u) << "a line of the table";
    EXPECT_EQ(stage.calls("reset"), 0u);
}

TEST(StatisticsTab, HeadsSort) {
    Stage stage;
    stage.open(statistics_tab);
    std::vector<ChannelRow> rows = stage.commands.shown().twins[0].layers[1].channels;
    const auto top_of = [&](const ChannelRow& row) {
        const auto found = stage.find(decimals(row.running_variance), stage.screen.look().fonts.mono);
        return found.empty() ? 1e9f : found.back().min.y;
    };
    const auto [least, greatest] = std::minmax_element(
        rows.begin(), rows.end(),
        [](const ChannelRow& a, const ChannelRow& b) { return a.running_variance < b.running_variance; });
    const ImVec2 head = center(stage.the("σ² run", stage.screen.look().fonts.small));
    stage.click(head);
    EXPECT_LT(top_of(*greatest), top_of(*least));
    EXPECT_NEAR(top_of(*greatest), head.y + 22, 12) << "the first line";
    stage.click(head);
    EXPECT_NEAR(top_of(*least), head.y + 22, 12);
}

TEST(StatisticsTab, HasRoomForAllWordsWithinBudget) {
    for (const ImVec2 size : sizes)
        for (const Theme* theme : {&dark_theme(), &projector_theme()})
            for (const auto& [norm, units] : {std::pair{Norm::batch, 48u}, std::pair{Norm::batch, 512u},
                                              std::pair{Norm::layer, 48u}, std::pair{Norm::rms, 5u}}) {
                if (theme == &projector_theme() && units != 48u) continue;
                SCOPED_TRACE(std::string(word(norm)) + " " + std::to_string(units) + " " +
                             std::to_string(static_cast<int>(size.x)));
                Settings settings;
                settings.hidden = {units, units};
                settings.twins[0].norm = norm;
                Stage stage(settings, 600, size);
                stage.screen.set_theme(*theme);
                stage.frame();
                stage.open(statistics_tab);
                lab::testing::expect_letters_apart(stage);
                lab::testing::expect_letters_whole(stage);
                EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
                const bool keeps = vknorm::keeps_running_statistics(norm);
                EXPECT_EQ(stage.seen("Batch variance"), keeps ? 1u : 0u);
                EXPECT_EQ(stage.seen("Beta"), norm == Norm::rms ? 0u : 1u);
                EXPECT_EQ(
                    stage.seen(std::string(name(norm)) + " takes its statistics from each example by itself"),
                    keeps ? 0u : 1u);
            }
}

TEST(StatisticsTab, ShowsChannelsOfConvolutions) {
    Settings settings;
    settings.data = Data::digits;
    settings.model = Model::resnet8;
    Stage stage(settings, 100);
    stage.open(statistics_tab);
    lab::testing::expect_letters_apart(stage);
    lab::testing::expect_letters_whole(stage);
    EXPECT_EQ(stage.seen("Channel 3"), 1u);
}

TEST(StatisticsTab, SaysWhyThereIsNothing) {
    Stage unstepped({}, 0);
    unstepped.open(statistics_tab);
    EXPECT_EQ(unstepped.seen("No steps yet."), 1u);
    Stage stage;
    stage.open(statistics_tab);
    stage.click(center(stage.the("Twin B", stage.screen.look().fonts.body)));
    EXPECT_EQ(
        stage.seen("Twin B has no norm behind hidden 2: there are no statistics, no gamma and no beta."), 1u);
    EXPECT_EQ(stage.seen("Twin A has one: choose it at the left."), 1u);
}

TEST(StatisticsTab, TheKeyboardReachesIt) {
    Stage stage;
    stage.open(statistics_tab);
    const auto reading = [&] {
        return stage.seen("unit " + std::to_string(stage.shell.settings().inspected_unit) + ", step ");
    };
    for (int i = 0; i < 80 && reading() == 0; ++i) stage.press(Key::tab);
    ASSERT_EQ(reading(), 1u) << "a map has the keyboard";
    stage.press(Key::down);
    EXPECT_EQ(stage.shell.settings().inspected_unit, 4u);
    EXPECT_EQ(reading(), 1u);
    stage.press(Key::up);
    stage.press(Key::up);
    EXPECT_EQ(stage.shell.settings().inspected_unit, 2u);
}

TEST(StatisticsTab, OnePlotAlone) {
    Stage stage;
    stage.open(statistics_tab);
    stage.hover(in_map(stage, "Gamma", {60, 100}));
    stage.press(Key::f11);
    EXPECT_EQ(stage.seen("Gamma"), 1u);
    EXPECT_EQ(stage.seen("Beta"), 0u);
    EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
    stage.press(Key::escape);
    EXPECT_EQ(stage.seen("Beta"), 1u);
}

}  // namespace
