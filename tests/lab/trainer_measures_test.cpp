// What is measured of a run beside its losses, and that measuring leaves it alone.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iostream>
#include <string>

#include "app/experiment/measured_layers.hpp"
#include "lab/small_trainer.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

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

/// Those of the latest step of twin A are what the network has, and `x`, if there is one, gives.
void expect_channels_of_network(Trainer& trainer, size_t layer, const std::string& norm, float epsilon,
                                const Specimen* specimen) {
    const TwinView view = trainer.twins()[0].view();
    const std::vector<ChannelRow>& channels = view.layers.at(layer).channels;
    const auto gamma = trainer.tensor(0, norm + ".weight"), beta = trainer.tensor(0, norm + ".bias"),
               mean = trainer.tensor(0, norm + ".running_mean"),
               variance = trainer.tensor(0, norm + ".running_var");
    ASSERT_EQ(channels.size(), gamma.size());
    EXPECT_EQ(view.channels.at(layer).back().value.size(), gamma.size());
    for (uint32_t c = 0; c < channels.size(); ++c) {
        const ChannelRow& channel = channels[c];
        EXPECT_EQ(channel.gamma, gamma[c]);
        EXPECT_EQ(channel.beta, beta[c]);
        EXPECT_EQ(channel.running_mean, mean[c]);
        EXPECT_EQ(channel.running_variance, variance[c]);
        EXPECT_FLOAT_EQ(channel.gap, (channel.batch_mean - mean[c]) / std::sqrt(variance[c] + epsilon));
        if (!specimen) continue;
        double sum = 0, squares = 0;
        for (uint32_t row = 0; row < specimen->rows(); ++row)
            sum += double{specimen->device.x[specimen->at(row, c)]};
        const double center = sum / specimen->rows();
        for (uint32_t row = 0; row < specimen->rows(); ++row)
            squares += std::pow(double{specimen->device.x[specimen->at(row, c)]} - center, 2);
        EXPECT_NEAR(double{channel.batch_mean}, center, 1e-5);
        EXPECT_NEAR(double{channel.batch_variance}, squares / specimen->rows(), 1e-4 * (1 + squares));
    }
}

TEST(Trainer, ChannelsHaveTheStatisticsOfTheNetworkAtEveryStep) {
    Settings settings = small();
    settings.microscope = true;
    Trainer trainer = make_trainer(settings);
    for (uint64_t step = 1; step <= 5; ++step) {
        trainer.step();
        for (const size_t layer : {0u, 1u}) {
            const TwinView a = trainer.twins()[0].view();
            expect_channels_of_network(trainer, layer, std::to_string(layer) + ".norm", settings.epsilon,
                                       a.specimen_of(layer).get());
            EXPECT_EQ(a.channels[layer].size(), step);
            EXPECT_EQ(a.channels[layer].back().step, step);
        }
        const TwinView b = trainer.twins()[1].view();
        EXPECT_TRUE(b.layers[0].channels.empty() && b.channels[0].empty()) << "it has no norm";
    }
    settings.statistics = vknorm::Statistics::running;
    trainer.apply(settings);
    trainer.step();
    const ChannelRow running = trainer.twins()[0].view().layers[1].channels[0];
    EXPECT_TRUE(std::isnan(running.batch_mean) && std::isnan(running.gap)) << "none was measured";
    EXPECT_TRUE(std::isfinite(running.running_mean) && std::isfinite(running.gamma));
}

TEST(Trainer, ANormAfterTheActivationIsMeasuredWhereItStands) {
    Settings settings = small();
    settings.microscope = true;
    settings.twins[0].order = vknorm::NormOrder::after_activation;
    settings.inspected_layer = 1;
    Trainer trainer = make_trainer(settings);
    trainer.step();
    const TwinView a = trainer.twins()[0].view();
    const std::shared_ptr<const Specimen> specimen = a.specimen_of(1);
    ASSERT_TRUE(specimen);
    const std::vector<float>& x = specimen->device.x;
    EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float value) { return value >= 0; })) << "a ReLU gave it";
    EXPECT_EQ(examine(*specimen, NormMode::train).activated, examine(*specimen, NormMode::train).y);
    expect_channels_of_network(trainer, 1, "1.norm", settings.epsilon, specimen.get());
    const UnitRow& unit = a.unit.back().value;
    EXPECT_NEAR(unit.batch_mean, a.layers[1].channels[settings.inspected_unit].batch_mean, 1e-5f)
        << "what the norm receives";
    const Histogram& received = a.layers[1].normalized;
    float negative = received.below;
    for (size_t bin = 0; bin < received.share.size() && received.edge(bin + 1) <= 0; ++bin)
        negative += received.share[bin];
    EXPECT_GT(negative, 0.1f) << "the ReLU receives what no ReLU has seen";
    EXPECT_EQ(a.layers[1].dead_units, 0u);
}

TEST(Trainer, ChannelsOfConvolutionsHaveTheirStatistics) {
    Settings settings;
    settings.data = Data::digits;
    settings.model = Model::classifier_small;
    settings.twins.resize(1);
    settings.batch = 4;
    Trainer trainer = make_trainer(settings);
    trainer.step();
    const std::vector<MeasuredLayer> layers = measured_layers(settings, 0);
    for (size_t layer = 0; layer < layers.size(); ++layer)
        expect_channels_of_network(trainer, layer, layers[layer].norm, settings.epsilon, nullptr);
}

TEST(Trainer, NormsOfExamplesHaveGammaAndBetaOnly) {
    Settings settings = small();
    settings.twins = {{vknorm::Norm::layer}, {vknorm::Norm::rms}};
    Trainer trainer = make_trainer(settings);
    trainer.step();
    const ChannelRow layer = trainer.twins()[0].view().layers[0].channels[0],
                     rms = trainer.twins()[1].view().layers[0].channels[0];
    EXPECT_TRUE(std::isnan(layer.batch_mean) && std::isnan(layer.running_variance) && std::isnan(layer.gap));
    EXPECT_TRUE(std::isfinite(layer.gamma) && std::isfinite(layer.beta));
    EXPECT_TRUE(std::isfinite(rms.gamma) && std::isnan(rms.beta));
}

}  // namespace
