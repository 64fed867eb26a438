// Gradient norm, mean loss and the verdict on a step.
#include "ops/step_summary.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm::testing {
namespace {

using detail::StepReport;
using shaders::RowLoss;

constexpr uint32_t layers = 3;
constexpr float infinity = std::numeric_limits<float>::infinity(),
                nan = std::numeric_limits<float>::quiet_NaN();

struct Step {
    std::vector<float> gradient = std::vector<float>(64, 0.5f);
    std::vector<RowLoss> losses = {{1.f, 1}, {2.f, 0}};
    std::vector<float> running = std::vector<float>(96, 1.f);
    std::vector<float> saved = std::vector<float>(80, 2.f);
    std::vector<uint32_t> divergence = detail::no_divergence(layers);
    float max_gradient_norm = 0;
};

struct Outcome {
    StepReport report;
    std::vector<uint32_t> divergence;
};

Outcome run(const Step& step, uint32_t number = 41) {
    const GuardedBuffer gradient(step.gradient, "gradient", true), losses(step.losses, "losses", true),
        running(step.running, "running", true), saved(step.saved, "saved", true),
        divergence(step.divergence, "divergence", true);
    const GuardedBuffer scratch(detail::step_summary_scratch_bytes(), "scratch", true),
        record(detail::step_record_bytes(layers), "record", true);
    Stream stream(test_device());
    detail::step_summary(stream.record(), {.gradient = gradient,
                                           .losses = losses,
                                           .rows = static_cast<uint32_t>(step.losses.size()),
                                           .weight_sum = static_cast<float>(step.losses.size()),
                                           .running = running,
                                           .saved = saved,
                                           .layers = layers,
                                           .divergence = divergence,
                                           .step = number,
                                           .max_gradient_norm = step.max_gradient_norm,
                                           .scratch = scratch,
                                           .record = record});
    stream.wait(stream.submit());
    return {detail::read_step_record(record.download<std::byte>()), divergence.download<uint32_t>()};
}

TEST(StepSummary, TexelsGiveTheSameBits) {
    if (!test_device().capabilities().texel_blocks) GTEST_SKIP() << "needs texel buffers";
    std::mt19937_64 random = random_generator();
    const Step step{.gradient = random_floats(random, 15872)};
    Tuning& tuning = test_device().state().tuning;
    const Tuning usual = tuning;
    tuning.loads = BlockLoads::buffers;
    const float expected = run(step).report.gradient_norm;
    tuning.loads = BlockLoads::texels;
    EXPECT_EQ(run(step).report.gradient_norm, expected);
    tuning = usual;
}

// Bounds: n squares or losses of one sign, summed in parts: each passes at most n / 1024 + 1024 / 64 + 64 + 4
// (or n / 64 + 64) additions, each off by half an ULP; sqrt() within 3 ULP.
TEST(StepSummary, NormAndLossAreWithinTheBound) {
    std::mt19937_64 random = random_generator();
    const double u = std::ldexp(1.0, -24);
    for (const size_t floats : {4u, 64u, 4100u, 15872u}) {
        for (const size_t rows : {1u, 2u, 31u, 257u, 1000u}) {
            Step step;
            step.gradient = random_floats(random, floats);
            const std::vector<float> losses = random_floats(random, rows, 0, 3);
            step.losses.clear();
            double squares = 0, loss = 0;
            uint32_t correct = 0;
            for (const float g : step.gradient) squares += double{g} * double{g};
            for (const float l : losses) {
                step.losses.push_back({l, static_cast<uint32_t>(random() % 2)});
                loss += l;
                correct += step.losses.back().correct;
            }
            const StepReport report = run(step).report;
            const double norm = std::sqrt(squares), mean = loss / static_cast<double>(rows);
            const double additions = static_cast<double>(floats) / 1024 + 84;
            expect_near("gradient norm", std::vector{report.gradient_norm}, std::vector{norm},
                        norm * u * (additions / 2 + 6));
            expect_near("mean loss", std::vector{report.loss}, std::vector{mean},
                        mean * u * (static_cast<double>(rows) / 64 + 70));
            EXPECT_EQ(report.correct, correct);
            EXPECT_FALSE(report.diverged);
            const StepReport again = run(step).report;
            EXPECT_EQ(again.gradient_norm, report.gradient_norm);
            EXPECT_EQ(again.loss, report.loss);
        }
    }
}

// The norm is 4; a division and two additions more.
TEST(StepSummary, ScalesGradientsOfTooLargeANorm) {
    for (const float most : {0.f, 1.f, 3.75f, 4.5f}) {
        const Step step{.max_gradient_norm = most};
        const float scale = std::bit_cast<float>(run(step).divergence[shaders::divergence_gradient_scale]);
        const double expected = most > 0 ? std::min(1.0, most / (4 + 1e-6)) : 1;
        EXPECT_NEAR(scale, expected, 16 * std::ldexp(1.0, -24)) << most;
        if (expected == 1) {
            EXPECT_EQ(scale, 1);
        }
        EXPECT_EQ(run(step).report.gradient_norm, 4);
    }
}

TEST(StepSummary, FindsWhateverIsNotFinite) {
    Step sound;
    EXPECT_FALSE(run(sound).report.diverged);
    sound.divergence[shaders::divergence_gradient_scale] = std::bit_cast<uint32_t>(1.f);
    EXPECT_EQ(run(sound).divergence, sound.divergence);

    for (const float bad : {nan, infinity, -infinity}) {
        for (const int place : {0, 1, 2, 3}) {
            Step step;
            float* const places[] = {&step.gradient[63], &step.losses[1].loss, &step.running[70],
                                     &step.saved[65]};
            *places[place] = bad;
            const Outcome outcome = run(step);
            EXPECT_TRUE(outcome.report.diverged) << bad << " at " << place;
            EXPECT_EQ(outcome.report.diverged_step, 41u);
            EXPECT_EQ(outcome.report.first_running, place == 2 ? 70 : shaders::all_finite);
            EXPECT_EQ(outcome.report.first_saved, place == 3 ? 65 : shaders::all_finite);
            EXPECT_EQ(outcome.divergence[0], 1u);
        }
    }
}

TEST(StepSummary, ReportsLayersAndResetsThem) {
    Step step;
    step.divergence[shaders::divergence_header + 1] = 17;
    const Outcome outcome = run(step);
    EXPECT_TRUE(outcome.report.diverged);
    EXPECT_EQ(outcome.report.layers, (std::vector<uint32_t>{shaders::all_finite, 17, shaders::all_finite}));
    std::vector<uint32_t> expected = detail::no_divergence(layers);
    expected[0] = 1;
    expected[shaders::divergence_gradient_scale] = std::bit_cast<uint32_t>(1.f);
    expected[shaders::divergence_step] = 41;
    EXPECT_EQ(outcome.divergence, expected);
}

TEST(StepSummary, StaysDivergedAndKeepsTheFirstStep) {
    Step step;
    step.divergence[0] = 1;
    step.divergence[shaders::divergence_step] = 7;
    step.gradient[0] = nan;
    const Outcome outcome = run(step);
    EXPECT_TRUE(outcome.report.diverged);
    EXPECT_EQ(outcome.report.diverged_step, 7u);
}

}  // namespace
}  // namespace vknorm::testing
