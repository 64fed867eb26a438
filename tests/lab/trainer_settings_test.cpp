// Settings of a run that goes on: what takes effect when, and that whatever is refused changes nothing.
#include <cmath>
#include <memory>
#include <stdexcept>

#include "lab/small_trainer.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

TEST(Trainer, StepsTakeAsManyBatchesAsAreAccumulated) {
    Settings settings = small();
    settings.twins[0].norm = settings.twins[1].norm = vknorm::Norm::layer;
    settings.batch = 32;
    Trainer large = make_trainer(settings);
    settings.batch = 8;
    settings.accumulate = 4;
    Trainer accumulated = make_trainer(settings);
    train(large, 5);
    train(accumulated, 5);
    Snapshot a, b;
    large.describe(a);
    accumulated.describe(b);
    EXPECT_EQ(a.epoch, b.epoch);
    for (size_t i = 0; i < 5; ++i)
        EXPECT_NEAR(a.twins[0].training[i].value.loss, b.twins[0].training[i].value.loss, 1e-5);
}

TEST(Trainer, SchedulesChangeTheLearningRate) {
    Settings settings = small();
    settings.schedule = Schedule::step;
    settings.schedule_steps = 6;
    Trainer scheduled = make_trainer(settings);
    settings.schedule = Schedule::constant;
    Trainer constant = make_trainer(settings);
    train(scheduled, 4);
    train(constant, 4);
    // The third step is the first one with another rate; the fourth one's loss shows it.
    const TwinView a = scheduled.twins()[0].view(), b = constant.twins()[0].view();
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(a.training[i].value.loss, b.training[i].value.loss);
    EXPECT_NE(a.training[3].value.loss, b.training[3].value.loss);
}

TEST(Trainer, SettingsTakeEffectWithTheNextStep) {
    Trainer trainer = make_trainer(small()), changed = make_trainer(small());
    train(trainer, 5);
    train(changed, 5);
    Settings slower = small();
    slower.learning_rate = 0.001f;
    changed.apply(slower);
    train(trainer, 2);
    train(changed, 2);
    const TwinView a = trainer.twins()[0].view(), b = changed.twins()[0].view();
    EXPECT_EQ(a.training[5].value.loss, b.training[5].value.loss)
        << "the loss of a step is that before its update";
    EXPECT_NE(a.training[6].value.loss, b.training[6].value.loss);
    EXPECT_EQ(changed.settings(), slower);

    slower.update_running = false;
    changed.apply(slower);
    const float before = b.unit.back().value.running_mean;
    changed.step();
    EXPECT_EQ(changed.twins()[0].view().unit.back().value.running_mean, before);
}

TEST(Trainer, BatchMayChangeWithoutANewRun) {
    Trainer trainer = make_trainer(small());
    train(trainer, 16);  // 16 x 32 of 512 points: one epoch
    Settings larger = small();
    larger.batch = 256;
    trainer.apply(larger);
    trainer.step();
    Snapshot run;
    trainer.describe(run);
    EXPECT_EQ(run.step, 17u);
    EXPECT_DOUBLE_EQ(run.epoch, 1.5);
}

TEST(Trainer, RefusedStepChangesNothing) {
    Trainer trainer = make_trainer(small()), undisturbed = make_trainer(small());
    trainer.step();
    undisturbed.step();
    Settings one = small();
    one.batch = 1;
    trainer.apply(one);
    EXPECT_NE(refusal_of(trainer).find("batch of one"), std::string::npos);
    EXPECT_NE(refusal_of(trainer), "");
    EXPECT_EQ(trainer.steps(), 1u);
    Snapshot run;
    trainer.describe(run);
    ASSERT_EQ(run.events.size(), 2u) << "once";
    EXPECT_EQ(run.events[0], (Event{2, EventKind::setting, "Batch size 32 \xE2\x86\x92 1"}));
    EXPECT_EQ(run.events[1].kind, EventKind::refused);
    EXPECT_EQ(run.events[1].step, 2u);

    Settings ghosts = small();
    ghosts.twins[1].norm = vknorm::Norm::ghost;
    ghosts.batch = 17;
    Trainer haunted = make_trainer(ghosts);
    EXPECT_NE(refusal_of(haunted).find("Twin B: ghosts of 16 leave one of 17 examples"), std::string::npos);
    EXPECT_TRUE(haunted.twins()[0].view().training.empty());

    one.statistics = vknorm::Statistics::running;
    trainer.apply(one);
    EXPECT_EQ(refusal_of(trainer), "") << "running statistics need no batch";

    Trainer resumed = make_trainer(small());
    resumed.step();
    one.statistics = vknorm::Statistics::batch;
    resumed.apply(one);
    EXPECT_NE(refusal_of(resumed), "");
    EXPECT_EQ(resumed.twins()[1].view().training.size(), 1u) << "nor did the twin without a norm step";
}

TEST(Trainer, BatchLargerThanTheSetIsAllOfIt) {
    Settings settings = small();
    RunData data = make_run_data(settings);
    const std::vector<uint32_t> few = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    data.train = std::make_shared<const vknorm::Dataset>(vknorm::pick(*data.train, few));
    Trainer trainer(test_device(), settings, data);
    EXPECT_EQ(trainer.settings().batch, 12u);
    train(trainer, 2);
    Snapshot snapshot;
    trainer.describe(snapshot);
    EXPECT_EQ(snapshot.batch_note, "Batch size: 12, all examples to train on, in place of 32");
    EXPECT_EQ(snapshot.epoch, 2);
    settings.batch = 8;
    trainer.apply(settings);
    trainer.describe(snapshot);
    EXPECT_EQ(snapshot.batch_note, "");
    settings.batch = 64;
    trainer.apply(settings);
    EXPECT_EQ(trainer.settings().batch, 12u);
    trainer.step();
}

TEST(Trainer, SettingsOutOfRangeAreRefusedBeforeAnythingChanges) {
    Trainer trainer = make_trainer(small());
    const auto refused = [&](auto change) {
        Settings settings = small();
        change(settings);
        EXPECT_THROW(trainer.apply(settings), std::invalid_argument);
        EXPECT_EQ(trainer.settings(), small());
    };
    refused([](Settings& s) { s.batch = 0; });
    refused([](Settings& s) { s.batch = limits::max_batch + 1; });
    refused([](Settings& s) { s.learning_rate = std::nanf(""); });
    refused([](Settings& s) { s.momentum = 1; });
    refused([](Settings& s) { s.norm_momentum = -0.1f; });
    refused([](Settings& s) { s.epsilon = -1e-5f; });
    const auto no_run = [&](auto change) {
        Settings settings = small();
        change(settings);
        EXPECT_THROW(make_trainer(settings), std::invalid_argument);
    };
    no_run([](Settings& s) { s.hidden.clear(); });
    no_run([](Settings& s) { s.twins.clear(); });
    no_run([](Settings& s) { s.twins.resize(limits::max_twins + 1); });
    no_run([](Settings& s) { s.noise = limits::max_noise * 2; });
    no_run([](Settings& s) { s.twins[1].set_norm_of(0, vknorm::Norm::group), s.twins[1].groups = 3; });
    no_run([](Settings& s) { s.twins[0].norm = vknorm::Norm::ghost, s.twins[0].ghost_size = 1; });
    no_run([](Settings& s) { s.twins[0].norm = vknorm::Norm::batch_renorm, s.epsilon = 0; });
}

}  // namespace
