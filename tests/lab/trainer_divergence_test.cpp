// Twins that diverge sit out and are named; the others go on.
#include <string>

#include "lab/small_trainer.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

TEST(Trainer, DivergedTwinSitsOutWhileTheOtherGoesOn) {
    Settings settings = small();
    settings.twins[1].activation = vknorm::Activation::identity;
    settings.learning_rate = limits::max_learning_rate;
    settings.momentum = 0.9f;
    Trainer trainer = make_trainer(settings);
    for (int i = 0; i < 200 && trainer.diverged() == 0; ++i) trainer.step();
    ASSERT_EQ(trainer.diverged(), 1u);
    ASSERT_TRUE(trainer.twins()[1].diverged());
    const size_t tests = trainer.twins()[1].view().test.size(),
                 ended_at = trainer.twins()[1].view().training.size();
    const uint64_t step = trainer.steps();
    EXPECT_EQ(ended_at, step - 1) << "the step that met no number is not drawn";
    train(trainer, 3);
    trainer.evaluate();
    EXPECT_EQ(trainer.twins()[0].view().training.size(), step + 3);
    EXPECT_EQ(trainer.twins()[1].view().training.size(), ended_at);
    EXPECT_EQ(trainer.twins()[1].view().test.size(), tests) << "nor is it tested any more";
    EXPECT_EQ(trainer.twins()[0].view().test.back().step, step + 3);
    Snapshot run;
    trainer.describe(run);
    ASSERT_TRUE(run.twins[1].divergence);
    EXPECT_EQ(run.twins[1].divergence->step, step);
    EXPECT_EQ(run.message.find("B diverged at step " + std::to_string(step) + ": "), 0u) << run.message;
    EXPECT_NE(run.message.find("that is not a number"), std::string::npos) << run.message;
    EXPECT_NE(run.message.find("; lower the learning rate"), std::string::npos) << run.message;
    EXPECT_EQ(run.message.find("network."), std::string::npos) << run.message;
    EXPECT_EQ(run.severity, Severity::error);
    EXPECT_FALSE(run.twins[0].divergence);
    ASSERT_EQ(run.events.size(), 1u);
    EXPECT_EQ(run.events[0].step, step);
    EXPECT_EQ(run.events[0].kind, EventKind::diverged);
    EXPECT_EQ(run.events[0].words, "B diverged: " + run.twins[1].divergence->found);
}

TEST(Trainer, DivergedTwinsAreAllNamed) {
    Settings settings = small();
    set_twin_count(settings, 3);
    for (const size_t twin : {0, 2})
        settings.twins[twin] = {vknorm::Norm::none, vknorm::Activation::identity};
    settings.twins[1].norm = vknorm::Norm::batch;
    settings.learning_rate = limits::max_learning_rate;
    settings.momentum = 0.9f;
    Trainer trainer = make_trainer(settings);
    for (int i = 0; i < 200 && trainer.diverged() == 0; ++i) trainer.step();
    ASSERT_EQ(trainer.diverged(), 2u);
    const std::string step = std::to_string(trainer.steps());
    Snapshot run;
    trainer.describe(run);
    EXPECT_EQ(run.message,
              "A diverged at step " + step + ", C at step " + step + "; lower the learning rate");
    trainer.step();
    EXPECT_FALSE(trainer.ended());
}

}  // namespace
