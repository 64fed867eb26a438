// Twins that are trained on several devices: with synchronized statistics they are what one device makes of
// all examples, and all that is measured of them is, too.
#include <cmath>
#include <filesystem>
#include <gmock/gmock.h>

#include "app/experiment/lint.hpp"
#include "app/experiment/microscope_checks.hpp"
#include "lab/small_trainer.hpp"
#include "support/worst_error.hpp"

namespace {

using namespace lab;
using namespace lab::testing;
using ::testing::HasSubstr;

constexpr size_t one = 0, synchronized = 1, alone = 2;

/// A twin on one device, the same on so many, and on as many that normalize alone.
Settings on_devices(uint32_t devices, uint32_t batch = 32) {
    Settings settings = small();
    settings.twins = std::vector<TwinSettings>(3, {vknorm::Norm::batch});
    settings.twins[synchronized].devices = settings.twins[alone].devices = devices;
    settings.twins[alone].device_statistics = DeviceStatistics::alone;
    settings.batch = batch;
    settings.learning_rate = 0.1f;
    return settings;
}

/// The greatest distance of two twins' training losses, relative to them.
double losses_apart(const Trainer& trainer, size_t a, size_t b) {
    const TwinView left = trainer.twins()[a].view(), right = trainer.twins()[b].view();
    EXPECT_EQ(left.training.size(), right.training.size());
    double apart = 0;
    for (size_t i = 0; i < left.training.size(); ++i) {
        const double x = left.training[i].value.loss, y = right.training[i].value.loss;
        apart = std::max(apart, std::abs(x - y) / x);
    }
    return apart;
}

// As in the experiment: the same sums in another order, for some steps; and statistics of few examples.
constexpr double rounding = 1e-3, noise = 0.02;

TEST(Devices, SynchronizedAreOneWithAllExamples) {
    for (const auto& [devices, batch] : {std::pair{4u, 32u}, {3u, 31u}, {2u, 3u}}) {
        Settings settings = on_devices(devices, batch);
        if (batch == 3) settings.twins.resize(2);  // one of two devices has one example, and cannot alone
        Trainer trainer = make_trainer(settings);
        train(trainer, 10);
        EXPECT_LT(losses_apart(trainer, one, synchronized), rounding) << devices << ", " << batch;
        if (batch > 8) {
            EXPECT_GT(losses_apart(trainer, one, alone), noise);
        }
    }
}

TEST(Devices, EveryBatchOfAStepIsSharedOutByItself) {
    Settings settings = on_devices(3, 8);
    settings.accumulate = 2;
    settings.batch_classes = 1;
    settings.twins.resize(2);
    Trainer trainer = make_trainer(settings);
    train(trainer, 8);
    EXPECT_LT(losses_apart(trainer, one, synchronized), rounding);
}

TEST(Devices, WhatIsMeasuredIsOfAllOfThem) {
    Trainer trainer = make_trainer(on_devices(4));
    train(trainer, 10);
    trainer.look();
    const TwinView a = trainer.twins()[one].view(), b = trainer.twins()[synchronized].view();
    ASSERT_EQ(b.layers.size(), 2u);
    for (size_t layer = 0; layer < b.layers.size(); ++layer) {
        EXPECT_NEAR(b.layers[layer].mean, a.layers[layer].mean, 1e-4);
        EXPECT_NEAR(b.layers[layer].deviation, a.layers[layer].deviation, 1e-4);
        EXPECT_NEAR(b.layers[layer].largest_gain, a.layers[layer].largest_gain, 1e-2);
        float apart = 0;  // a value at the edge of a bin may be in either
        for (size_t bin = 0; bin < a.layers[layer].normalized.share.size(); ++bin)
            apart += std::abs(b.layers[layer].normalized.share[bin] - a.layers[layer].normalized.share[bin]);
        EXPECT_LT(apart, 0.02f);
    }
    const UnitRow &unit_a = a.unit.back().value, &unit_b = b.unit.back().value;
    for (float UnitRow::*const number :
         {&UnitRow::batch_mean, &UnitRow::batch_variance, &UnitRow::running_mean, &UnitRow::running_variance,
          &UnitRow::gamma, &UnitRow::beta, &UnitRow::gradient_norm})
        EXPECT_NEAR(unit_b.*number, unit_a.*number, 1e-4);
    // From a histogram, whose bins are so wide.
    for (float UnitRow::*const percentile :
         {&UnitRow::percentile15, &UnitRow::percentile50, &UnitRow::percentile85})
        EXPECT_NEAR(unit_b.*percentile, unit_a.*percentile, 0.25);
    EXPECT_NEAR(b.test.back().value.loss, a.test.back().value.loss, 1e-3);
    EXPECT_NEAR(b.test.back().value.batch_accuracy, a.test.back().value.batch_accuracy, 0.01);
    ASSERT_EQ(b.boundary.probability.size(), a.boundary.probability.size());
    EXPECT_NEAR(b.boundary.probability.front(), a.boundary.probability.front(), 1e-3);
}

TEST(Devices, TheMicroscopeSeesWhatWasNormalizedTogether) {
    Settings settings = on_devices(4, 30);
    settings.microscope = true;
    Trainer trainer = make_trainer(settings);
    train(trainer, 5);
    const auto a = trainer.twins()[one].view().specimen_of(1);
    for (const size_t twin : {synchronized, alone}) {
        const auto specimen = trainer.twins()[twin].view().specimen_of(1);
        ASSERT_TRUE(specimen);
        const size_t rows = twin == alone ? 7 : 30;  // of the first device, or of all
        ASSERT_EQ(specimen->rows(), rows);
        EXPECT_EQ(specimen->labels,
                  std::vector(a->labels.begin(), a->labels.begin() + static_cast<ptrdiff_t>(rows)));
        const double worst = worst_ratio(*specimen, examine(*specimen, NormMode::train));
        vknorm::testing::remember("microscope, devices", worst);
        EXPECT_LT(worst, 1);
    }
}

TEST(Devices, QuestionsAndPreciseStatisticsAreThoseOfOne) {
    Trainer trainer = make_trainer(on_devices(4));
    train(trainer, 6);
    const std::vector<double> rates = {0.01, 0.3};
    const std::vector<double> a = trainer.look_ahead(one, rates).losses,
                              b = trainer.look_ahead(synchronized, rates).losses;
    for (size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(b[i], a[i], 1e-3);
    trainer.step();
    trainer.recompute_running_statistics();
    trainer.step();
    EXPECT_LT(losses_apart(trainer, one, synchronized), rounding) << "they have moved nothing";
    const std::vector<float> of_one = trainer.tensor(one, "0.norm.running_var"),
                             of_four = trainer.tensor(synchronized, "0.norm.running_var");
    for (size_t i = 0; i < of_one.size(); ++i) EXPECT_NEAR(of_four[i], of_one[i], 1e-4 * of_one[i]);
}

TEST(Devices, ACheckpointGoesOnOnOneDevice) {
    const std::filesystem::path file = std::filesystem::path(::testing::TempDir()) / "of_devices.safetensors";
    Settings settings = on_devices(4);
    settings.twins = {settings.twins[synchronized]};
    Trainer whole = make_trainer(settings), resumed = make_trainer(settings);
    train(whole, 5);
    whole.save(file);
    resumed.load(file);
    settings.twins[0].devices = 1;
    Trainer on_one = make_trainer(settings);
    on_one.load(file);
    for (Trainer* const trainer : {&whole, &resumed, &on_one}) train(*trainer, 3);
    std::filesystem::remove(file);
    EXPECT_EQ(resumed.tensor(0, "output.weight"), whole.tensor(0, "output.weight"));
    EXPECT_NEAR(on_one.twins()[0].view().training.back().value.loss,
                whole.twins()[0].view().training.back().value.loss, 1e-3);
}

TEST(Devices, OfDivergenceAllHear) {
    Settings settings = on_devices(4);
    settings.twins[synchronized].norm = vknorm::Norm::none;
    settings.twins.resize(2);
    settings.learning_rate = 10;
    settings.input_scale = 1000;
    settings.init_scale = 1000;
    Trainer trainer = make_trainer(settings);
    for (int step = 0; step < 50 && !trainer.ended(); ++step) trainer.step();
    EXPECT_TRUE(trainer.twins()[synchronized].diverged());
    trainer.evaluate();
    trainer.recompute_running_statistics();
}

std::string refusal(const Settings& settings) {
    try {
        make_trainer(settings);
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return "";
}

TEST(Devices, WhatCannotBeIsRefusedInWords) {
    EXPECT_EQ(refusal(on_devices(4, 3)),
              "Devices of twin B: got '4', needs at most the 3 examples of a batch");
    EXPECT_EQ(refusal(on_devices(9)), "Devices of twin B: got '9', needs a whole number from 1 to 8");
    Settings settings = on_devices(4);
    settings.twins[synchronized].set_norm_of(1, vknorm::Norm::ghost);
    EXPECT_EQ(refusal(settings), "Devices of twin B: got '4', needs 1 with GhostNorm");
    settings.twins[synchronized] = {.norm = vknorm::Norm::batch_renorm, .devices = 2};
    EXPECT_EQ(refusal(settings), "Devices of twin B: got '2', needs 1 with BatchRenorm");
    Trainer trainer = make_trainer(on_devices(4, 7));
    EXPECT_THAT(refusal_of(trainer),
                HasSubstr("Twin C: 7 examples on 4 devices leave one alone, without a variance"));
    vknorm::run_ranks(1, [&](vknorm::Exchange& exchange) {
        const Settings several = on_devices(2);
        EXPECT_THROW(Trainer(test_device(), several, make_run_data(several), &exchange),
                     std::invalid_argument);
    });
}

TEST(Devices, FewExamplesOnEachAreFoundAndMended) {
    Trainer trainer = make_trainer(on_devices(8));
    Snapshot run;
    trainer.describe(run);
    std::vector<Finding> found = findings(run);
    std::erase_if(found,
                  [](const Finding& one_of) { return one_of.what.find("noise") == std::string::npos; });
    ASSERT_EQ(found.size(), 1u);
    EXPECT_THAT(found[0].what, HasSubstr("Twin C: statistics of 4 examples are mostly noise"));
    ASSERT_TRUE(found[0].fix);
    EXPECT_EQ(found[0].fix->label, "Synchronized statistics");
    EXPECT_EQ(found[0].fix->settings.twins[alone].device_statistics, DeviceStatistics::synchronized);
}

}  // namespace
