// Networks in lock-step, without thread or clock: equal calls give equal numbers.
#include <cmath>
#include <memory>
#include <numeric>

#include "lab/small_trainer.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

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
        ASSERT_EQ(twin.layers.size(), 3u);
        EXPECT_EQ(twin.layers[1].shape, (std::vector<uint32_t>{32, 14, 14}));
        EXPECT_EQ(twin.distributions.back().value.size(), 3u);
        EXPECT_TRUE(std::isfinite(twin.test.back().value.accuracy));
        EXPECT_EQ(twin.predicted.size(), 12u);
        // Of the second convolution, as no other was asked for.
        EXPECT_EQ(twin.maps.pictures, 12u);
        EXPECT_EQ(twin.maps.values.size(), 12u * 14 * 14);
        const UnitRow& unit = twin.unit.back().value;
        EXPECT_GT(unit.gradient_norm, 0);
        EXPECT_EQ(std::isfinite(unit.gamma), &twin == &snapshot.twins[0]);
        EXPECT_EQ(std::isfinite(unit.running_mean), &twin == &snapshot.twins[0]);
    }
    settings.batch = 16;
    EXPECT_TRUE(begins_new_run(trainer.settings(), settings));
    const RunData points = make_run_data({});
    EXPECT_THROW(Trainer(test_device(), settings, points), std::invalid_argument);
}

TEST(Trainer, MeasuresTheLayersOfEveryModel) {
    const auto names = [](Model model) {
        Settings settings;
        settings.model = model;
        std::vector<std::string> result;
        for (const MeasuredLayer& layer : measured_layers(settings, 0)) result.push_back(layer.name);
        for (const MeasuredLayer& layer : measured_layers(settings, 1)) EXPECT_TRUE(layer.norm.empty());
        return result;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(Model::mlp), (Names{"hidden 1", "hidden 2", "hidden 3", "hidden 4"}));
    EXPECT_EQ(names(Model::classifier), (Names{"features.0.conv", "features.2.conv", "features.4.conv",
                                               "features.6.conv", "classifier.1"}));
    EXPECT_EQ(names(Model::classifier_small),
              (Names{"features.0.conv", "features.2.conv", "features.4.conv"}));
    EXPECT_EQ(names(Model::resnet8), (Names{"conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1",
                                            "layer2.0.conv2", "layer3.0.conv1", "layer3.0.conv2"}));
    for (const Model model : {Model::resnet20, Model::preresnet20}) {
        const Names deep = names(model);
        EXPECT_EQ(deep.size(), 10u);
        EXPECT_EQ(deep.front(), "conv1");
        EXPECT_EQ(deep.back(), "layer3.2");
    }
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

}  // namespace
