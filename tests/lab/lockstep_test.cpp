// Two networks in lock-step, without thread or clock: equal calls give equal numbers, and whatever is refused
// changes none of them.
#include "app/experiment/lockstep.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

#include "support/device_fixture.hpp"

namespace {

using namespace lab;
using vknorm::testing::test_device;

Settings small() {
    Settings settings;
    settings.hidden = {16, 8};
    return settings;
}

Trainer make_trainer(const Settings& settings) {
    return Trainer(test_device(), settings, make_run_data(settings));
}

void train(Trainer& trainer, int steps) {
    for (int i = 0; i < steps; ++i) trainer.step();
}

/// Every number of two training histories, bit for bit.
void expect_same_training(const TwinView& a, const TwinView& b) {
    ASSERT_EQ(a.training.size(), b.training.size());
    for (size_t i = 0; i < a.training.size(); ++i) {
        const TrainingRow &left = a.training[i].value, &right = b.training[i].value;
        EXPECT_EQ(left.loss, right.loss) << "step " << i + 1;
        EXPECT_EQ(left.gradient_norm, right.gradient_norm) << "step " << i + 1;
        EXPECT_EQ(left.strongly_smoothed_loss, right.strongly_smoothed_loss) << "step " << i + 1;
    }
}

std::string refusal_of(Trainer& trainer) {
    try {
        trainer.step();
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return "";
}

TEST(Trainer, TwinsOfEqualSettingsGiveEqualNumbers) {
    for (const vknorm::Norm norm :
         {vknorm::Norm::none, vknorm::Norm::batch, vknorm::Norm::layer, vknorm::Norm::group,
          vknorm::Norm::rms, vknorm::Norm::batch_renorm, vknorm::Norm::ghost}) {
        Settings settings = small();
        settings.twins[0].norm = settings.twins[1].norm = norm;
        Trainer trainer = make_trainer(settings);
        train(trainer, 20);
        trainer.evaluate();
        const TwinView a = trainer.twins()[0].view(), b = trainer.twins()[1].view();
        ASSERT_EQ(a.training.size(), 20u);
        expect_same_training(a, b);
        EXPECT_EQ(a.test.back().value.accuracy, b.test.back().value.accuracy);
        EXPECT_EQ(a.layers[1].mean, b.layers[1].mean);
    }
}

TEST(Trainer, TrainsAModelForPictures) {
    Settings settings;
    settings.data = Data::digits;
    settings.model = Model::classifier_small;
    settings.batch = 8;
    settings.optimizer = OptimizerKind::adam;
    settings.learning_rate = 0.002f;
    RunData data = make_run_data(settings);
    // A few of the pictures are enough.
    std::vector<uint32_t> few(24);
    std::iota(few.begin(), few.end(), 0u);
    data.train = std::make_shared<const vknorm::Dataset>(vknorm::pick(*data.train, few));
    data.test = std::make_shared<const vknorm::Dataset>(vknorm::pick(*data.test, few));
    Trainer trainer(test_device(), settings, data);
    train(trainer, 2);
    trainer.evaluate();
    trainer.look();
    Snapshot snapshot;
    trainer.describe(snapshot);
    EXPECT_EQ(snapshot.parameters, 9u * 16 + 16 * 32 * 9 + 32 * 64 * 9 + 2 * (16 + 32 + 64) + 650);
    for (const TwinView& twin : snapshot.twins) {
        EXPECT_EQ(twin.training.size(), 2u);
        EXPECT_TRUE(twin.unit.empty() && twin.layers.empty());
        EXPECT_TRUE(std::isfinite(twin.test.back().value.accuracy));
        EXPECT_EQ(twin.predicted.size(), 24u);
    }
    settings.batch = 16;
    EXPECT_TRUE(begins_new_run(trainer.settings(), settings));
    const RunData points = make_run_data({});
    EXPECT_THROW(Trainer(test_device(), settings, points), std::invalid_argument);
}

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

TEST(Trainer, TwinsStartFromTheSameWeightsWhateverTheirNorms) {
    Settings settings = small();
    settings.inspected_layer = 0;
    Trainer trainer = make_trainer(settings);
    trainer.step();
    const UnitRow a = trainer.twins()[0].view().unit[0].value, b = trainer.twins()[1].view().unit[0].value;
    EXPECT_NEAR(a.batch_mean, b.batch_mean, 1e-6);
    EXPECT_NEAR(a.batch_variance, b.batch_variance, 1e-6);
    EXPECT_TRUE(std::isnan(b.running_mean));
    EXPECT_NEAR(a.running_mean, 0.1f * a.batch_mean, 1e-6) << "one update with momentum 0.1";
}

TEST(Trainer, LayersMayHaveNormsOfTheirOwn) {
    Settings settings = small();
    settings.twins[0].set_norm_of(1, vknorm::Norm::layer);
    settings.twins[1].set_norm_of(1, vknorm::Norm::ghost);
    settings.inspected_layer = 1;
    Trainer trainer = make_trainer(settings);
    train(trainer, 3);
    trainer.evaluate();
    const TwinView a = trainer.twins()[0].view(), b = trainer.twins()[1].view();
    const UnitRow with_layer_norm = a.unit.back().value, with_ghosts = b.unit.back().value;
    EXPECT_TRUE(std::isfinite(with_layer_norm.batch_mean + with_layer_norm.batch_variance));
    EXPECT_TRUE(std::isnan(with_layer_norm.running_mean) && std::isnan(with_layer_norm.running_variance));
    EXPECT_TRUE(std::isfinite(with_ghosts.running_mean + with_ghosts.running_variance));
    for (const TwinView& twin : {a, b})
        EXPECT_TRUE(std::isfinite(twin.test.back().value.batch_accuracy)) << "one layer depends on the batch";
    for (TwinSettings& twin : settings.twins) twin = {vknorm::Norm::rms};
    Trainer alone = make_trainer(settings);
    alone.evaluate();
    EXPECT_TRUE(std::isnan(alone.twins()[0].view().test.back().value.batch_accuracy))
        << "training and evaluation do not differ";
}

TEST(Trainer, TheSameSeedRepeatsARunAndMeasuringDoesNotDisturbIt) {
    Trainer measured = make_trainer(small()), repeated = make_trainer(small());
    for (int i = 0; i < 20; ++i) {
        measured.step();
        measured.evaluate();
        measured.look();
        repeated.step();
    }
    for (size_t i = 0; i < measured.twins().size(); ++i)
        expect_same_training(measured.twins()[i].view(), repeated.twins()[i].view());

    Settings other = small();
    ++other.seed;
    Trainer different = make_trainer(other);
    different.step();
    EXPECT_NE(different.twins()[0].view().training[0].value.loss,
              repeated.twins()[0].view().training[0].value.loss);
}

TEST(Trainer, LearnsTheSpiral) {
    Settings settings;
    Trainer trainer = make_trainer(settings);
    train(trainer, 300);
    trainer.evaluate();
    const float accuracy = trainer.twins()[0].view().test.back().value.accuracy;
    std::cout << "accuracy " << accuracy << " on the spiral after 300 steps, needs 0.85\n";
    EXPECT_GT(accuracy, 0.85f);
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

TEST(Trainer, ThePlanNamesEveryPartOfAStepOnceItIsAskedFor) {
    Trainer trainer = make_trainer(small());
    train(trainer, 2);
    for (const Twin& twin : trainer.twins())
        EXPECT_TRUE(twin.view().parts.empty() && twin.view().norm_plan.empty()) << "nobody asked";

    Settings settings = small();
    settings.plan = true;
    trainer.apply(settings);
    const auto begin = std::chrono::steady_clock::now();
    trainer.step();
    const std::chrono::duration<double, std::milli> step = std::chrono::steady_clock::now() - begin;
    const TwinView a = trainer.twins()[0].view(), b = trainer.twins()[1].view();
    EXPECT_NE(a.norm_plan.find("32 x 8 channels"), std::string::npos) << a.norm_plan;
    EXPECT_EQ(b.norm_plan, "") << "it has no norm";
    Snapshot run;
    trainer.describe(run);
    EXPECT_EQ(run.has_timestamps, test_device().capabilities().timestamp_period_ns > 0);
    if (run.has_timestamps) {
        double parts = 0;
        for (const TwinView* view : {&a, &b})
            for (const vknorm::Timing& part : view->parts) parts += part.milliseconds;
        std::cout << "parts of both twins " << parts << " ms, step " << step.count() << " ms\n";
        EXPECT_GT(parts, 0);
        EXPECT_LE(parts, step.count());
        EXPECT_EQ(a.parts.size(), 7u + 2 * 6) << "none twice";
        EXPECT_EQ(b.parts.size(), 7u + 2 * 4);
        const auto times = [](const TwinView& view, const std::string& label) {
            return std::count_if(view.parts.begin(), view.parts.end(),
                                 [&](const vknorm::Timing& part) { return part.label == label; });
        };
        for (const char* label : {"batch upload", "output forward", "output backward", "loss", "summary",
                                  "optimizer", "probes and readback"})
            EXPECT_TRUE(times(a, label) == 1 && times(b, label) == 1) << label;
        for (const char* layer : {"0.", "1."})
            for (const char* way : {" forward", " backward"}) {
                EXPECT_EQ(times(a, std::string(layer) + "linear" + way), 1) << layer << way;
                EXPECT_EQ(times(a, std::string(layer) + "norm" + way), 1) << layer << way;
                EXPECT_EQ(times(b, std::string(layer) + "norm" + way), 0) << layer << way;
                EXPECT_EQ(times(b, std::string(layer) + "activation" + way), 1) << layer << way;
            }
    }

    settings.plan = false;
    trainer.apply(settings);
    trainer.step();
    EXPECT_TRUE(trainer.twins()[0].view().parts.empty() && trainer.twins()[0].view().norm_plan.empty());
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
    EXPECT_EQ(trainer.steps(), 1u);

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
}

TEST(Trainer, TwinsDoNotNoticeHowManyTrainBesideThem) {
    Settings four = small(), one = small();
    set_twin_count(four, 4);
    set_twin_count(one, 1);
    Trainer pair = make_trainer(small()), all = make_trainer(four), alone = make_trainer(one);
    for (Trainer* const trainer : {&pair, &all, &alone}) {
        train(*trainer, 20);
        trainer->evaluate();
        trainer->look();
    }
    ASSERT_EQ(all.twins().size(), 4u);
    ASSERT_EQ(alone.twins().size(), 1u);
    expect_same_training(pair.twins()[0].view(), alone.twins()[0].view());
    for (size_t twin = 0; twin < 2; ++twin) {
        const TwinView beside_one = pair.twins()[twin].view(), beside_three = all.twins()[twin].view();
        expect_same_training(beside_one, beside_three);
        EXPECT_EQ(beside_one.test.back().value.accuracy, beside_three.test.back().value.accuracy);
        EXPECT_EQ(beside_one.boundary.probability, beside_three.boundary.probability);
    }
    // The same weights and batches, other norms: all learn, none the same.
    for (size_t twin = 0; twin < 4; ++twin) {
        ASSERT_EQ(all.twins()[twin].view().training.size(), 20u);
        for (size_t other = 0; other < twin; ++other)
            EXPECT_NE(all.twins()[twin].view().training.back().value.loss,
                      all.twins()[other].view().training.back().value.loss);
    }
    Snapshot run;
    all.describe(run);
    EXPECT_EQ(run.twins.size(), 4u);
    alone.describe(run);
    EXPECT_EQ(run.twins.size(), 1u);
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

TEST(Trainer, TestSetIsEvaluatedOncePerStepInBothModes) {
    Trainer trainer = make_trainer(small());
    trainer.evaluate();
    trainer.evaluate();
    train(trainer, 5);
    trainer.evaluate();
    const TwinView a = trainer.twins()[0].view(), b = trainer.twins()[1].view();
    ASSERT_EQ(a.test.size(), 2u);
    EXPECT_EQ(a.test[1].step, 5u);
    EXPECT_TRUE(std::isfinite(a.test[1].value.batch_accuracy));
    EXPECT_TRUE(std::isnan(b.test[1].value.batch_accuracy)) << "no norm, no batch statistics";
}

TEST(Trainer, TestsOutOfTurnAreShownButLeaveTheCurveAlone) {
    Trainer disturbed = make_trainer(small()), undisturbed = make_trainer(small());
    for (int i = 0; i < 13; ++i) {
        disturbed.step();
        disturbed.evaluate();
        undisturbed.step();
    }
    const TwinView shown = disturbed.twins()[0].view();
    EXPECT_EQ(shown.test.back().step, 13u) << "what is paused is up to date";
    ASSERT_EQ(shown.test.size(), 4u);
    const std::array<uint64_t, 3> due = {0, 5, 10};
    for (size_t i = 0; i < due.size(); ++i) EXPECT_EQ(shown.test[i].step, due[i]);
    for (Trainer* const trainer : {&disturbed, &undisturbed}) train(*trainer, 2);
    const TwinView a = disturbed.twins()[0].view(), b = undisturbed.twins()[0].view();
    ASSERT_EQ(a.test.size(), 4u);
    ASSERT_EQ(b.test.size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(a.test[i].step, b.test[i].step);
        EXPECT_EQ(a.test[i].value.accuracy, b.test[i].value.accuracy);
        EXPECT_EQ(a.test[i].value.loss, b.test[i].value.loss);
    }
}

TEST(Trainer, ValuesBeyondTheHistogramAreCountedApart) {
    Settings wide = small();
    wide.twins[0] = wide.twins[1] = {vknorm::Norm::none, vknorm::Activation::identity};
    wide.learning_rate = limits::max_learning_rate;
    wide.momentum = 0.9f;
    Trainer trainer = make_trainer(wide);
    float beyond = 0;
    for (int i = 0; i < 60 && beyond == 0 && !trainer.ended(); ++i) {
        trainer.step();
        for (const LayerView& layer : trainer.twins()[0].view().layers) {
            const Histogram& seen = layer.normalized;
            ASSERT_EQ(seen.share.size(), 64u);
            EXPECT_EQ(seen.low, -4);
            EXPECT_EQ(seen.high, 4);
            float sum = seen.below + seen.above;
            for (const float share : seen.share) sum += share;
            EXPECT_NEAR(sum, 1, 1e-5);
            beyond = std::max(beyond, seen.below + seen.above);
        }
    }
    EXPECT_GT(beyond, 0) << "at this rate they leave the range before they are no numbers";
}

TEST(Trainer, BoundaryCoversThePlaneAndPicturesGetClasses) {
    Trainer planar = make_trainer(small());
    planar.look();
    const Boundary& boundary = planar.twins()[0].view().boundary;
    ASSERT_EQ(boundary.probability.size(), size_t{boundary.columns} * boundary.rows * boundary.classes);
    ASSERT_GT(boundary.columns, 1u);
    for (size_t i = 0; i < boundary.probability.size(); i += 2)
        EXPECT_NEAR(boundary.probability[i] + boundary.probability[i + 1], 1, 1e-5);

    Settings digits = small();
    digits.data = Data::digits;
    Trainer pictures = make_trainer(digits);
    pictures.look();
    const TwinView view = pictures.twins()[0].view();
    EXPECT_EQ(view.boundary.columns, 0u);
    ASSERT_FALSE(view.predicted.empty());
    for (const uint32_t predicted : view.predicted) EXPECT_LT(predicted, 10u);
}

TEST(Trainer, InspectedLayerShowsItsWholePast) {
    Trainer trainer = make_trainer(small());
    train(trainer, 8);
    Settings other = small();
    other.inspected_layer = 0;
    other.inspected_unit = 15;
    trainer.apply(other);
    TwinView view = trainer.twins()[0].view();
    EXPECT_EQ(view.distributions.size(), 8u);
    EXPECT_TRUE(view.unit.empty()) << "another unit's rows";
    ASSERT_EQ(view.distributions.back().value.size(), 2u);
    EXPECT_EQ(view.distributions.back().value[0].share, view.layers[0].normalized.share);
    float sum = view.layers[0].normalized.below + view.layers[0].normalized.above;
    for (const float share : view.layers[0].normalized.share) sum += share;
    EXPECT_NEAR(sum, 1, 1e-5);

    other.inspected_layer = 99;  // beyond this network: the last one
    trainer.apply(other);
    trainer.step();
    EXPECT_EQ(trainer.twins()[0].view().distributions.size(), 9u);
}

}  // namespace
