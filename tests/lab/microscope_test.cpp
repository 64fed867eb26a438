// The microscope's numbers: those of the device are within their bounds of float64, and float64 is what the
// reference of all tests says, for every norm and in every mode.
#include <gtest/gtest.h>

#include "app/experiment/lockstep.hpp"
#include "app/experiment/microscope_checks.hpp"
#include "app/experiment/words.hpp"
#include "reference/expected.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace {

using namespace lab;
using vknorm::Norm;
using vknorm::Statistics;
namespace reference = vknorm::reference;

Settings settings_of(Norm norm) {
    Settings settings;
    settings.hidden = {20, 12};
    settings.twins = {{.norm = norm, .groups = 4, .ghost_size = 12}};
    settings.batch = 30;  // a last ghost of 6
    settings.microscope = true;
    return settings;
}

/// Of the last of some steps, which takes those statistics.
std::shared_ptr<const Specimen> specimen_of(const Settings& settings, Statistics statistics) {
    Trainer trainer(vknorm::testing::test_device(), settings, make_run_data(settings));
    // Batch renormalization corrects from step 51 on.
    const int steps = settings.twins[0].norm == Norm::batch_renorm ? 55 : 8;
    for (int step = 0; step < steps; ++step) trainer.step();
    Settings changed = settings;
    changed.statistics = statistics;
    changed.update_running = statistics == Statistics::batch;
    trainer.apply(changed);
    trainer.step();
    Snapshot run;
    trainer.describe(run);
    return run.twins[0].specimen_of(settings.inspected_layer);
}

reference::Sets sets_of(const Specimen& s, NormMode mode) {
    const std::vector<uint32_t> shape = {s.rows(), s.channels};
    const reference::Geometry geometry(shape, vknorm::Layout::channels_first);
    if (by_running(s, mode)) return geometry;
    switch (s.kind) {
        case Norm::layer:
        case Norm::rms:
            return reference::row_sets(shape, 1);
        case Norm::group:
            return reference::group_sets(geometry, s.groups);
        case Norm::ghost:
            return {geometry, s.ghost_size, 1};
        default:
            return geometry;
    }
}

reference::Norm norm_of(const Specimen& s, NormMode mode) {
    const bool running = by_running(s, mode);
    const auto statistics = running               ? reference::Statistics::constant
                            : s.kind == Norm::rms ? reference::Statistics::about_zero
                                                  : reference::Statistics::of_values;
    reference::Norm norm = reference::norm_of(
        {.x = s.device.x, .dy = s.device.dy, .gamma = s.device.gamma, .beta = s.device.beta},
        sets_of(s, mode), s.epsilon, statistics);
    const auto values = [](const std::vector<float>& floats) {
        return reference::Values(floats.begin(), floats.end());
    };
    if (running) norm.constants = {values(s.device.running_mean), values(s.device.running_variance)};
    if (s.kind == Norm::batch_renorm && !running) {
        const reference::Moments batch = reference::moments(norm.sets, norm.x);
        reference::Values deviation = batch.variance, moving = values(s.device.running_variance);
        for (double& value : deviation) value = std::sqrt(value + double{s.epsilon});
        for (double& value : moving) value = std::sqrt(value + double{s.epsilon});
        reference::Renorm factors =
            reference::renorm(batch.mean, deviation, values(s.device.running_mean), moving, s.limits);
        norm.r = factors.r;
        norm.d = factors.d;
    }
    return norm;
}

void expect_close(const char* what, const std::vector<double>& got, const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size()) << what;
    double largest = 0;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    for (size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], expected[i], 1e-12 * (1 + largest)) << what << " " << i;
}

const auto norms = {Norm::batch, Norm::layer, Norm::group, Norm::rms, Norm::batch_renorm, Norm::ghost};

std::shared_ptr<const Specimen> specimen_of_every_test(Norm norm, Statistics statistics) {
    static std::map<std::pair<Norm, Statistics>, std::shared_ptr<const Specimen>> made;
    std::shared_ptr<const Specimen>& specimen = made[{norm, statistics}];
    if (!specimen) specimen = specimen_of(settings_of(norm), statistics);
    return specimen;
}

template <class Look>
void for_every_norm_and_mode(Look look) {
    for (const Norm norm : norms)
        for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
            const auto specimen = specimen_of_every_test(norm, statistics);
            ASSERT_TRUE(specimen);
            for (const NormMode mode : norm_modes) {
                if (!was_made(*specimen, mode)) continue;
                SCOPED_TRACE(std::string(word(norm)) + " " + name(mode));
                look(*specimen, mode);
            }
        }
}

TEST(Microscope, HasTheNumbersOfTheReference) {
    for_every_norm_and_mode([](const Specimen& s, NormMode mode) {
        const Examination exact = examine(s, mode);
        const reference::Norm norm = norm_of(s, mode);
        const reference::NormForward forward = reference::forward(norm);
        expect_close("mean", exact.mean, forward.moments.mean);
        expect_close("variance", exact.variance, forward.moments.variance);
        expect_close("inv_std", exact.inv_std, forward.inv_std);
        expect_close("y", exact.y, forward.linear);
        if (!norm.r.empty()) {
            expect_close("r", exact.r, norm.r);
            expect_close("d", exact.d, norm.d);
        }
        const reference::NormGradients gradients = reference::backward(norm, forward);
        expect_close("dx", exact.dx, gradients.dx);
        expect_close("dgamma", exact.dgamma, gradients.dgamma);
        expect_close("dbeta", exact.dbeta, gradients.dbeta);
    });
}

TEST(Microscope, TheDeviceIsWithinTheBoundsAndTheyAreThoseOfTheDesign) {
    for_every_norm_and_mode([](const Specimen& s, NormMode mode) {
        const Examination exact = examine(s, mode);
        const double worst = worst_ratio(s, exact);
        vknorm::testing::remember(std::string("microscope ") + word(s.kind) + " " + name(mode), worst);
        EXPECT_GT(worst, 0);
        EXPECT_LE(worst, 1);

        const reference::Norm norm = norm_of(s, mode);
        const reference::NormForward forward = reference::forward(norm);
        const vknorm::testing::Expected y = reference::bounded_y(norm, forward, vknorm::Storage::float32);
        auto gradients = reference::bounded_gradients(norm, forward, {}, vknorm::Storage::float32);
        for (size_t i = 0; i < s.elements(); i += 7)
            for (const CheckedNumber& number : checked_numbers(s, exact, i)) {
                if (number.quantity == Quantity::y) {
                    EXPECT_NEAR(number.bound, y.bounds[i], 1e-9 * y.bounds[i]);
                    EXPECT_TRUE(number.device);
                }
                if (number.quantity == Quantity::dx) {
                    const double bound = gradients["dx"].bounds[i];
                    EXPECT_NEAR(number.bound, bound, 1e-9 * bound);
                    EXPECT_TRUE(number.device);
                }
                if (number.by_difference) {
                    EXPECT_NEAR(*number.by_difference, number.reference,
                                1e-5 * std::abs(number.reference) + 1e-9);
                }
            }
    });
}

TEST(Microscope, TheThreeTermsAddUpAndPushesCancel) {
    const auto specimen = specimen_of(settings_of(Norm::batch), Statistics::batch);
    const Examination exact = examine(*specimen, NormMode::train);
    double sum = 0;
    for (const size_t i : exact.values_of(3)) {
        EXPECT_DOUBLE_EQ(exact.own[i] + exact.from_mean[i] + exact.from_variance[i], exact.dx[i]);
        sum += exact.dx[i];
    }
    EXPECT_NEAR(sum, 0, 1e-15);
    const Examination frozen = examine(*specimen, NormMode::frozen);
    EXPECT_EQ(frozen.dx, frozen.own);
    EXPECT_FALSE(was_made(*specimen, NormMode::frozen)) << "the step took batch statistics";
    for (const CheckedNumber& number : checked_numbers(*specimen, frozen, 0)) EXPECT_FALSE(number.device);
}

TEST(Microscope, LeavesTheRunAsItIs) {
    Settings open = settings_of(Norm::batch), closed = open;
    closed.microscope = false;
    open.accumulate = closed.accumulate = 3;
    const RunData data = make_run_data(open);
    Trainer looked_at(vknorm::testing::test_device(), open, data),
        left_alone(vknorm::testing::test_device(), closed, data);
    Snapshot a, b;
    for (int step = 0; step < 20; ++step) {
        looked_at.step();
        left_alone.step();
    }
    looked_at.describe(a);
    left_alone.describe(b);
    EXPECT_EQ(a.twins[0].training.back().value.loss, b.twins[0].training.back().value.loss);
    EXPECT_FALSE(b.twins[0].specimen_of(1));
    ASSERT_TRUE(a.twins[0].specimen_of(1));
    EXPECT_EQ(a.twins[0].specimen_of(1)->rows(), 30u) << "of the last of three batches";
    EXPECT_LE(worst_ratio(*a.twins[0].specimen_of(1), examine(*a.twins[0].specimen_of(1), NormMode::train)),
              1);
}

TEST(Microscope, FollowsTheInspectedLayerAndCloses) {
    Settings settings = settings_of(Norm::batch);
    settings.twins[0].set_norm_of(0, Norm::none);
    Trainer trainer(vknorm::testing::test_device(), settings, make_run_data(settings));
    const auto specimen = [&] {
        trainer.step();
        Snapshot run;
        trainer.describe(run);
        return run.twins[0].specimen_of(settings.inspected_layer);
    };
    ASSERT_TRUE(specimen());
    EXPECT_EQ(specimen()->channels, 12u);
    EXPECT_EQ(specimen()->step, 3u);
    settings.inspected_layer = 0;
    EXPECT_FALSE(specimen()) << "it has no norm";
    settings.inspected_layer = 1;
    settings.microscope = false;
    trainer.apply(settings);
    EXPECT_FALSE(specimen());
}

}  // namespace
