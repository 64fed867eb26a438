// The tab of the distributions of a layer's tensors: that it shows what the trainer measured, and says what
// was not, at every size, and what keys, pointer and clicks do to it.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "app/experiment/lockstep.hpp"
#include "app/lab/distributions/trace.hpp"
#include "app/lab/statistics/channels.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;
using vknorm::Norm;

const ImVec2 sizes[] = {{1280, 800}, {1600, 1000}, {2560, 1440}};

size_t seen(Stage& stage, const std::string& words) {
    return stage.seen(words) + stage.find(words, stage.screen.look().fonts.mono).size();
}

void choose(Stage& stage, const char* words) {
    stage.click(center(stage.the(words, stage.screen.look().fonts.body)));
    stage.hover({2, 2});
}

Settings shown(size_t twins = 2) {
    Settings settings;
    settings.distributions = true;
    set_twin_count(settings, twins);
    return settings;
}

/// Somewhere in the plot of that title, the first twin's.
ImVec2 in_plot(Stage& stage, const char* title, ImVec2 by) {
    const plot::Rect words = stage.the(title, stage.screen.look().fonts.strong);
    return {words.min.x + by.x, words.max.y + by.y};
}

/// A run that was trained, not made up; the tab is shown from its fifth step on.
std::shared_ptr<Snapshot> trained_run() {
    vknorm::Device device(lab::testing::test_device());
    Settings settings = shown();
    settings.distributions = false;
    settings.hidden = {8, 8};
    Trainer trainer(device, settings, make_run_data(settings));
    const auto train = [&](int steps) {
        while (steps-- > 0) trainer.step();
    };
    train(4);
    settings.distributions = true;
    trainer.apply(settings);
    train(8);
    auto run = std::make_shared<Snapshot>();
    trainer.describe(*run);
    run->run = 1;
    return run;
}

TEST(DistributionsTab, TellsWhatTheTrainerMeasured) {
    const std::shared_ptr<Snapshot> run = trained_run();
    Stage stage(run->settings);
    stage.commands.show(run);
    stage.settle();
    EXPECT_EQ(seen(stage, "steps 1 to 4 were not measured"), 1u);
    const DistributionTrace trace(*run, 0);
    choose(stage, "128");
    size_t told = 0;
    const auto expect_told = [&](const char* title, LayerTensor tensor, ImVec2 by) {
        stage.hover(in_plot(stage, title, by));
        for (size_t i = 0; i < trace.size(); ++i) {
            if (seen(stage, "step " + std::to_string(trace.step(i))) < 2) continue;  // it, and the numbers
            const Distribution& its = trace.at(i, tensor);
            const Histogram& histogram = its.histogram;
            for (size_t bin = 0; bin < histogram.share.size(); ++bin) {
                const std::string range = plot::short_number(double{histogram.edge(bin)}) + " to " +
                                          plot::short_number(double{histogram.edge(bin + 1)});
                if (seen(stage, range) == 0) continue;
                ++told;
                const auto count = std::lround(histogram.share[bin] * static_cast<float>(its.count));
                EXPECT_GE(seen(stage, std::to_string(count)), 1u) << title;
                EXPECT_EQ(seen(stage, "of 256 values"), 1u);
            }
            EXPECT_GE(seen(stage, decimals(its.mean)), 1u) << "among the numbers";
            EXPECT_GE(seen(stage, decimals(its.percentiles[4])), 1u);
        }
    };
    for (const ImVec2 by : {ImVec2{90, 90}, ImVec2{110, 160}, ImVec2{130, 240}}) {
        expect_told("z", LayerTensor::before_norm, by);
        expect_told("y", LayerTensor::after_norm, by);
        expect_told("dL/dz", LayerTensor::gradient, by);
    }
    EXPECT_GE(told, 6u);
}

TEST(DistributionsTab, OpensByItsDigitAndMeasuresThen) {
    Stage stage;
    EXPECT_FALSE(stage.shell.settings().distributions);
    stage.press(key('2'));
    EXPECT_TRUE(stage.commands.applied.distributions);
    EXPECT_EQ(seen(stage, "Nothing measured yet"), 1u);
    stage.press(key('1'));
    EXPECT_FALSE(stage.commands.applied.distributions);
}

TEST(DistributionsTab, HasRoomForAllWordsWithinBudget) {
    for (const ImVec2 size : sizes)
        for (const size_t twins : {1u, 2u, 4u})
            for (const char* way : {"Offset", "Overlay", "Bands"})
                for (const Theme* theme : {&dark_theme(), &projector_theme()}) {
                    if (theme == &projector_theme() && twins == 1) continue;
                    SCOPED_TRACE(std::string(way) + " " + std::to_string(twins) + " " + theme->name + " " +
                                 std::to_string(static_cast<int>(size.x)));
                    Stage stage(shown(twins), 600, size);
                    stage.screen.set_theme(*theme);
                    stage.frame();
                    choose(stage, way);
                    EXPECT_EQ(seen(stage, "dL/dz"), twins);
                    EXPECT_EQ(seen(stage, "steps 60 to 419 were not measured"), 1u);
                    lab::testing::expect_letters_apart(stage);
                    lab::testing::expect_letters_whole(stage);
                    EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
                }
}

TEST(DistributionsTab, ManyBinsAreWithinBudget) {
    for (const size_t twins : {1u, 4u}) {
        Stage stage(shown(twins), 3000, {2560, 1440});
        for (const char* bins : {"32", "128"}) {
            choose(stage, bins);
            EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000) << bins;
        }
        stage.hover(in_plot(stage, "z", {100, 100}));
        stage.press(Key::f11);
        EXPECT_LT(stage.draw_data().TotalVtxCount, 90'000);
    }
}

TEST(DistributionsTab, InkIsOfTheTwinAndInItsPlots) {
    Stage stage(shown());
    const Theme& theme = stage.screen.look().theme;
    for (const char* way : {"Offset", "Overlay"}) {
        choose(stage, way);
        const Picture picture = stage.picture();
        const plot::Rect tab = stage.layout().tab;
        const float middle = (tab.min.y + tab.max.y) / 2;
        const plot::Rect above{tab.min, {tab.max.x, middle - 20}}, below{{tab.min.x, middle + 20}, tab.max};
        EXPECT_GT(lab::testing::count(picture, above, theme.twins[0]), 500u) << way;
        EXPECT_EQ(lab::testing::count(picture, above, theme.twins[1]), 0u) << way;
        EXPECT_GT(lab::testing::count(picture, below, theme.twins[1]), 300u) << way;
        EXPECT_EQ(lab::testing::count(picture, below, theme.twins[0]), 0u) << way;
    }
}

TEST(DistributionsTab, SaysWhatThereIsNot) {
    Stage stage(shown());
    EXPECT_EQ(seen(stage, "B has no norm here"), 2u) << "in the places of what it would give";
    EXPECT_EQ(seen(stage, "A has no norm here"), 0u);
    Settings unstepped = shown();
    Stage begun(unstepped, 0);
    EXPECT_EQ(seen(begun, "Nothing measured yet"), 1u);
}

TEST(DistributionsTab, ShowsConvolutionsAndEveryNorm) {
    for (const Norm norm : {Norm::layer, Norm::rms, Norm::ghost}) {
        Settings settings = shown();
        settings.twins[0].norm = norm;
        Stage stage(settings, 100);
        EXPECT_EQ(seen(stage, "A has no norm here"), 0u);
    }
    Settings settings = shown();
    settings.data = Data::digits;
    settings.model = Model::resnet8;
    Stage stage(settings, 100);
    lab::testing::expect_letters_apart(stage);
    lab::testing::expect_letters_whole(stage);
}

TEST(DistributionsTab, AClickHoldsAStep) {
    Stage stage(shown());
    EXPECT_EQ(seen(stage, "step 600"), 1u) << "the numbers are of the newest one";
    stage.click(in_plot(stage, "z", {100, 200}));
    stage.hover({2, 2});
    EXPECT_EQ(seen(stage, "z of A"), 1u);
    EXPECT_EQ(seen(stage, "step 600"), 0u);
    stage.press(Key::escape);
    EXPECT_EQ(seen(stage, "step 600"), 1u);
}

TEST(DistributionsTab, TheKeyboardReachesIt) {
    Stage stage(shown());
    const auto reading = [&] { return seen(stage, "of 1536 values"); };
    for (int i = 0; i < 120 && reading() == 0; ++i) stage.press(Key::tab);
    ASSERT_EQ(reading(), 1u) << "a plot has the keyboard";
    EXPECT_EQ(seen(stage, "step 600"), 1u);
    stage.press(Key::up);
    EXPECT_EQ(seen(stage, "step 600"), 0u) << "an older one";
    stage.press(Key::enter);
    stage.press(Key::escape);
    EXPECT_EQ(reading(), 0u);
    stage.hover(center(stage.layout().controls));
    stage.screen.input().wheel(0, 100);  // Tab went through all controls
    stage.settle();
    EXPECT_EQ(seen(stage, "z of A"), 1u);
    EXPECT_EQ(seen(stage, "step 600"), 0u) << "is held";
}

TEST(DistributionsTab, TheNewestStepsStayInSight) {
    Settings settings = shown();
    Stage stage(settings, 600);
    choose(stage, "Newest 200");
    EXPECT_EQ(seen(stage, "zoomed: steps 400 to 600"), 1u);
    EXPECT_EQ(seen(stage, "steps 60 to 419 were not measured"), 1u);
    stage.commands.show(lab::testing::synthetic_run(settings, 700));
    stage.settle();
    EXPECT_EQ(seen(stage, "zoomed: steps 500 to 700"), 1u);
    EXPECT_EQ(seen(stage, "not measured"), 0u) << "that was before";
    choose(stage, "All");
    EXPECT_EQ(seen(stage, "zoomed: steps"), 0u);
}

TEST(DistributionsTab, OnePlotAlone) {
    Stage stage(shown());
    stage.hover(in_plot(stage, "y", {60, 100}));
    stage.press(Key::f11);
    EXPECT_EQ(seen(stage, "dL/dz"), 0u);
    stage.press(Key::escape);
    EXPECT_EQ(seen(stage, "dL/dz"), 2u);
}

TEST(DistributionTrace, KnowsWhatWasNotMeasured) {
    Snapshot run;
    run.step = 40;
    TwinView& view = run.twins[0];
    const auto measure = [&](uint64_t first, uint64_t last) {
        for (uint64_t step = first; step <= last; ++step) {
            view.tensors.push(step, {});
            view.latest_tensors = {step, {}};
        }
    };
    measure(5, 9);
    measure(20, 30);
    const DistributionTrace trace(run, 0);
    const std::vector<plot::Range> expected = {{1, 4}, {10, 19}, {31, 40}};
    EXPECT_TRUE(
        std::equal(expected.begin(), expected.end(), trace.unmeasured().begin(), trace.unmeasured().end()));
    run.step = 5030;
    measure(31, 5030);
    const DistributionTrace merged(run, 0);
    ASSERT_EQ(merged.unmeasured().size(), 2u) << "nothing since";
    EXPECT_EQ(merged.unmeasured()[0], (plot::Range{1, 4}));
    EXPECT_LE(merged.unmeasured()[1].length(), 10);
    EXPECT_EQ(merged.step(merged.size() - 1), 5030u);
}

}  // namespace
