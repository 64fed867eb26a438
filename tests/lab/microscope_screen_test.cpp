// The microscope on the screen: what it draws at every size, for every norm and at every step, and what keys,
// pointer and clicks do to it.
#include <gtest/gtest.h>

#include "app/experiment/words.hpp"
#include "lab/drawing.hpp"
#include "lab/synthetic_specimen.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;
using vknorm::Norm;

const ImVec2 sizes[] = {{1280, 800}, {1600, 1000}, {2560, 1440}};
constexpr auto norms = {Norm::batch, Norm::layer, Norm::group, Norm::rms, Norm::batch_renorm, Norm::ghost};

Settings under_the_microscope(Norm norm = Norm::batch) {
    Settings settings;
    settings.twins[0].norm = norm;
    settings.microscope = true;
    return settings;
}

size_t seen(Stage& stage, const char* words, bool strong = false) {
    const Fonts& fonts = stage.screen.look().fonts;
    return stage.find(words, strong ? fonts.strong : fonts.small).size();
}

/// Which step is looked at, by what only its formula says; what moves has arrived.
void press_often(Stage& stage, Key key, int times) {
    for (int i = 0; i < times; ++i) stage.press(key);
    for (int i = 0; i < 60; ++i) stage.frame();
}

TEST(MicroscopeScreen, HasRoomForAllWordsAtEverySize) {
    for (const ImVec2 size : sizes)
        for (const Norm norm : norms) {
            if (size.x > sizes[0].x && norm != Norm::batch_renorm) continue;  // it has most to say
            SCOPED_TRACE(std::string(word(norm)) + " " + std::to_string(static_cast<int>(size.x)));
            Stage stage(under_the_microscope(norm), 366, size);
            for (const int steps : {0, 3}) {  // forward, and back
                press_often(stage, Key::right, steps);
                lab::testing::expect_letters_apart(stage);
                lab::testing::expect_letters_whole(stage);
            }
            EXPECT_EQ(seen(stage, "Checked", true), 1u);
        }
}

TEST(MicroscopeScreen, ArrowsStepAndSpacePlays) {
    Stage stage(under_the_microscope());
    EXPECT_EQ(seen(stage, "learned shift"), 1u);
    EXPECT_EQ(seen(stage, "its own push"), 0u);
    press_often(stage, Key::right, 2);
    EXPECT_EQ(seen(stage, "its own push"), 1u) << "the formula back";
    EXPECT_EQ(seen(stage, "learned shift"), 0u);
    press_often(stage, Key::left, 20);
    EXPECT_EQ(seen(stage, "learned shift"), 1u);

    stage.press(key(' '));
    EXPECT_EQ(stage.calls("run"), 0u);
    EXPECT_TRUE(stage.requests.redraw);
    for (int i = 0; i < 600; ++i) stage.frame();  // ten steps take ten seconds
    EXPECT_EQ(seen(stage, "its own push"), 1u) << "it has played to the end";

    stage.press(key('1'));
    stage.press(key(' '));
    EXPECT_EQ(stage.calls("run"), 1u) << "elsewhere space runs";
}

TEST(MicroscopeScreen, FollowsAnExampleThroughTheCardsOfAllLayers) {
    Stage stage(under_the_microscope());
    const auto lines = [&] {  // long ones, in the colour of words
        return lab::testing::count(stage.ground(), stage.layout().cards, stage.screen.look().theme.text);
    };
    const size_t one = 2 * 20;  // its pixels, at least
    EXPECT_GE(lines(), 4 * one);
    stage.press(key('1'));
    EXPECT_LT(lines(), one);
}

TEST(MicroscopeScreen, TAndFChooseTheModeShown) {
    Stage stage(under_the_microscope());
    EXPECT_EQ(seen(stage, "train mode"), 1u);
    stage.press(key('T'));
    EXPECT_EQ(seen(stage, "eval mode"), 1u);
    EXPECT_EQ(seen(stage, "Evaluation takes no gradient. F shows a frozen norm, which passes one on."), 1u);
    stage.press(key('F'));
    EXPECT_EQ(seen(stage, "frozen mode"), 1u);
    EXPECT_EQ(seen(stage, "the step was of another mode"), 1u);
    stage.press(key('F'));
    EXPECT_EQ(seen(stage, "train mode"), 1u);
    EXPECT_EQ(stage.calls("apply"), 0u) << "training goes as before";

    stage.click(center(stage.the("frozen", stage.screen.look().fonts.strong)));
    EXPECT_EQ(seen(stage, "frozen mode"), 1u);
}

TEST(MicroscopeScreen, ThePointerFollowsAnExample) {
    Stage stage(under_the_microscope());
    EXPECT_GE(seen(stage, "example 0"), 2u);
    const plot::Rect title = stage.the("Backward: one bar per example", stage.screen.look().fonts.strong);
    const plot::Rect area = stage.layout().tab;
    stage.hover(center(title));
    stage.hover({(title.min.x + area.max.x) / 2 + 60, title.max.y + 150});
    EXPECT_EQ(seen(stage, "example 0"), 0u);
    EXPECT_EQ(stage.calls("apply"), 0u);
}

TEST(MicroscopeScreen, AThumbnailChangesTheNormOfTheLayer) {
    Stage stage(under_the_microscope());
    const auto found = stage.find("Layer", stage.screen.look().fonts.small);
    ASSERT_GE(found.size(), 2u) << "the slider's name, and the thumbnail's";
    stage.click(center(found.back()));
    EXPECT_EQ(stage.shell.settings().twins[0].norm_of(1), Norm::layer);
    EXPECT_EQ(stage.shell.settings().twins[0].norm_of(0), Norm::batch);
}

TEST(MicroscopeScreen, TheLensOfACardOpensIt) {
    Stage stage;
    const plot::Rect title = stage.the("hidden 3", stage.screen.look().fonts.small);
    stage.click(center(title));
    EXPECT_FALSE(stage.shell.settings().microscope);
    const plot::Rect next = stage.layout().cards;
    // The corner of the third of four cards, between the ends of the strip.
    const float width = (next.width() - 2 * 52 - 5 * 16) / 4;
    stage.click({next.min.x + 52 + 3 * (16 + width) - 14, next.min.y + 12});
    EXPECT_TRUE(stage.shell.settings().microscope);
    EXPECT_EQ(stage.shell.settings().inspected_layer, 2u);
    EXPECT_EQ(seen(stage, "Nothing has been captured yet.", true), 1u);
}

TEST(MicroscopeScreen, SaysWhyThereIsNothingToSee) {
    const auto says = [](const Settings& settings, uint64_t steps, const char* words) {
        Stage stage(settings, steps);
        lab::testing::expect_letters_apart(stage);
        return seen(stage, words, true) == 1;
    };
    EXPECT_TRUE(says(under_the_microscope(), 0, "Nothing has been captured yet."));
    EXPECT_TRUE(says(under_the_microscope(Norm::none), 366,
                     "Hidden 2 of twin A has no norm: the activation gets z as it is."));
    Settings alone = under_the_microscope();
    alone.batch = 1;
    Stage stage(alone, 0);
    EXPECT_EQ(seen(stage, "Steps are refused: ", true), 1u);

    Settings settings = under_the_microscope();
    Stage broken(settings);
    auto specimen = lab::testing::synthetic_specimen(settings, 0, 366, settings.inspected_layer);
    specimen->device.x[5] = std::numeric_limits<float>::infinity();
    broken.commands.shown().twins[0].specimens[1] = specimen;
    broken.frame();
    EXPECT_EQ(seen(broken, "Values that arrive at Hidden 2 of twin A are not finite.", true), 1u);
}

TEST(MicroscopeScreen, AFailureShows) {
    const Settings settings = under_the_microscope();
    Stage stage(settings);
    auto specimen = lab::testing::synthetic_specimen(settings, 0, 366, settings.inspected_layer);
    specimen->device.y[specimen->at(0, settings.inspected_unit)] += 0.01f;
    stage.commands.shown().twins[0].specimens[1] = specimen;
    stage.frame();
    EXPECT_EQ(seen(stage, "7 of 8 within bounds"), 1u);
}

TEST(MicroscopeScreen, GreatBatchesShowSomeOfTheirValuesAndSaySo) {
    Settings settings = under_the_microscope();
    settings.batch = 256;
    Stage stage(settings);
    EXPECT_EQ(seen(stage, "240 of 256 shown"), 1u);
    lab::testing::expect_letters_apart(stage);
}

}  // namespace
