// The gallery of experiments: opened, run and closed by mouse and keyboard, and nothing outside its frames.
#include "app/lab/experiments/gallery.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "lab/stage.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

const Experiment& first() {
    return experiments().front();
}

/// Of the first experiment, judged from a run that never happened.
std::shared_ptr<const StudyView> finished(uint64_t steps = 300) {
    auto view = std::make_shared<StudyView>();
    view->state = StudyView::State::finished;
    view->seeds = 3;
    view->revision = 1;
    view->seconds = 12.3;
    const RunPlan plan = first().plans(Form::fast).front();
    for (const uint64_t seed : {7u, 8u, 9u}) {
        Settings settings = plan.settings;
        settings.seed = seed;
        view->trials.push_back({.seed = seed, .runs = {{.run = *synthetic_run(settings, steps)}}});
    }
    view->judgement = judge(first(), view->trials);
    return view;
}

TEST(Gallery, OpensRunsAndCloses) {
    Stage stage;
    ImFont* const strong = stage.screen.look().fonts.strong;
    EXPECT_TRUE(stage.find(first().title, strong).empty());
    stage.press(key('E'));
    stage.click(center(stage.the(first().title, strong)));
    EXPECT_EQ(stage.calls("conduct"), 1u);
    EXPECT_EQ(stage.calls("run"), 1u);
    EXPECT_TRUE(same_experiment(stage.commands.applied, first().plans(Form::full).front().settings));
    stage.the("What am I seeing?", strong);
    stage.press(Key::escape);
    EXPECT_TRUE(stage.find(first().title, strong).empty());
    EXPECT_TRUE(stage.find("What am I seeing?", strong).empty());
}

TEST(Gallery, TheFirstStepHasAnAxisOfSteps) {
    Stage stage;
    stage.commands.studied = finished(1);
    stage.press(key('E'));
    stage.click(center(stage.the(first().title, stage.screen.look().fonts.strong)));
    EXPECT_FALSE(stage.find("2.0", stage.screen.look().fonts.small).empty()) << "one step on";
}

TEST(Gallery, ShowsVerdictsInsideTheirFramesAtEverySize) {
    for (const ImVec2 size : {ImVec2{1280, 800}, ImVec2{1600, 1000}, ImVec2{2560, 1440}}) {
        SCOPED_TRACE(size.x);
        Stage stage({}, 600, size);
        stage.commands.studied = finished();
        ImFont* const strong = stage.screen.look().fonts.strong;
        stage.press(key('E'));
        stage.click(center(stage.the(first().title, strong)));
        EXPECT_EQ(stage.calls("conduct"), 0u) << "it was already";
        stage.the(std::string("The claim ") + name(finished()->judgement->verdict), strong);
        for (const Glyph& glyph : stage.glyphs()) {
            const float right = std::min(glyph.clip.max.x, size.x);
            const bool in_sight = glyph.rect.max.y > glyph.clip.min.y && glyph.rect.min.y < glyph.clip.max.y;
            if (in_sight) {
                EXPECT_LE(glyph.rect.max.x, right + 1);
            }
        }
    }
}

}  // namespace
