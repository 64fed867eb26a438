// Data that hurts: large means, outliers, padding, constants, denormals, and values that are no numbers.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

/// The kernels' three ways through memory: vectors along rows, scalars along rows, columns.
std::vector<Problem> problems_of_each_form(std::mt19937_64& random, float mean, float deviation) {
    Problem vectors = random_problem({.shape = {6, 3, 16, 12}}, random, mean, deviation);
    vectors.aligned = true;
    return {vectors, random_problem({.shape = {7, 3, 11, 13}}, random, mean, deviation),
            random_problem({.shape = {1001, 3}}, random, mean, deviation)};
}

void check_forward_and_backward(Problem problem) {
    problem.running_mean.assign(problem.running_mean.size(), 0);
    problem.running_var.assign(problem.running_var.size(), 1);
    check_forward_training(problem);
    check_backward(problem);
}

TEST(BatchNormData, MeansFarFromZero) {
    std::mt19937_64 random = random_generator();
    for (const auto& [mean, deviation] :
         {std::pair{1e2f, 1.0f}, {1e4f, 1.0f}, {1e4f, 1e-2f}, {1e6f, 0.1f}, {-1e6f, 1.0f}}) {
        SCOPED_TRACE(mean);
        for (const Problem& problem : problems_of_each_form(random, mean, deviation))
            check_forward_and_backward(problem);
    }
}

TEST(BatchNormData, Shapes) {
    std::mt19937_64 random = random_generator();
    const std::vector<std::pair<const char*, std::function<float(float, size_t)>>> changes{
        {"constant", [](float, size_t) { return 3.7f; }},
        {"outlier first", [](float x, size_t i) { return i == 0 ? 1e6f : x; }},
        {"outlier last", [](float x, size_t i) { return i == 600 ? -1e6f : x; }},
        {"leading zeros", [](float x, size_t i) { return i < 40 ? 0.0f : x + 1e4f; }},
        {"zeros between", [](float x, size_t i) { return i % 7 < 3 ? 0.0f : x; }},
        {"ramp", [](float, size_t i) { return 1e4f + static_cast<float>(i); }},
        {"two levels", [](float, size_t i) { return i < 300 ? -1e4f : 1e4f; }},
        {"signed zeros", [](float, size_t i) { return i % 2 ? 0.0f : -0.0f; }},
        {"large", [](float x, size_t) { return x * 1e15f; }},
    };
    for (const auto& [name, change] : changes) {
        SCOPED_TRACE(name);
        for (Problem problem : problems_of_each_form(random, 0, 1)) {
            const std::vector<float> x = problem.x;
            size_t at = 0;
            fill(problem, [&, &change = change](size_t, size_t i) { return change(x[at++ % x.size()], i); });
            check_forward_and_backward(problem);
        }
    }
}

// A device may take denormal numbers for zeros: y is beta to all its digits either way.
TEST(BatchNormData, Denormals) {
    std::mt19937_64 random = random_generator();
    for (const Problem& problem : problems_of_each_form(random, 0, 1e-39f)) check_forward_training(problem);
}

TEST(BatchNormData, AChannelWithoutVarianceIsBeta) {
    std::mt19937_64 random = random_generator();
    for (const float epsilon : {0.0f, 1e-5f}) {
        for (Problem problem : problems_of_each_form(random, 0, 1)) {
            problem.options.convention.epsilon = epsilon;
            fill(problem,
                 [&](size_t c, size_t) { return c == 1 ? 1e4f / 3 : static_cast<float>(random() % 16); });
            check_forward_training(problem);
            const Forward forward = forward_training(problem);
            const reference::Geometry geometry = problem.geometry();
            for (size_t n = 0; n < geometry.images; ++n) {
                for (size_t s = 0; s < geometry.positions; ++s) {
                    ASSERT_EQ(forward.y[geometry.at(n, 1, s)], problem.beta[1]);
                }
            }
            if (epsilon == 0) {
                EXPECT_EQ(forward.inv_std[1], 0);
                for (const float dx : backward(problem, forward).dx) ASSERT_FALSE(std::isnan(dx));
            }
        }
    }
}

TEST(BatchNormData, ZeroRunningVarianceAndEpsilonIsBeta) {
    std::mt19937_64 random = random_generator();
    Problem problem = random_problem({.shape = {3, 4, 5}}, random);
    problem.options.convention.epsilon = 0;
    problem.running_var[2] = 0;
    check_forward_inference(problem);
    check_backward_frozen(problem);
}

/// Values symmetric about a mean of few digits, in pairs of positions and in pairs of images: mean and
/// variance have no rounding, in whichever order they are taken.
TEST(BatchNormData, ExactFillIsExact) {
    std::mt19937_64 random = random_generator();
    for (const std::vector<uint32_t>& shape : {std::vector<uint32_t>{64, 3},
                                               {2, 3, 2},
                                               {4, 3, 128},
                                               {8, 3, 32, 32},
                                               {2048, 5},
                                               {2, 3, 256, 256}}) {
        for (const bool aligned : {false, true}) {
            SCOPED_TRACE(::testing::PrintToString(shape));
            Problem problem = random_problem({.shape = shape}, random);
            problem.aligned = aligned;
            problem.options.convention = {RunningVariance::biased, Momentum::weighs_new, 1, 1e-5f};
            const size_t positions = problem.geometry().positions;
            fill(problem, [&](size_t c, size_t i) {
                const size_t image = i / positions, position = i % positions;
                const size_t apart = (image / 2 * 5 + position / 2 * 3 + c) % 8;
                return 1000.0f * static_cast<float>(c + 1) +
                       ((image + position) % 2 == 0 ? 1.0f : -1.0f) * static_cast<float>(apart);
            });
            const Forward forward = forward_training(problem);
            const reference::Moments exact = reference::moments(problem.geometry(), problem.x);
            for (size_t c = 0; c < shape[1]; ++c) {
                EXPECT_EQ(forward.mean[c], 1000.0f * static_cast<float>(c + 1));
                EXPECT_EQ(forward.mean[shape[1] + c], 0);
                EXPECT_EQ(forward.running_mean[c], exact.mean[c]);
                EXPECT_EQ(forward.running_var[c], exact.variance[c]);
            }
        }
    }
}

TEST(BatchNormData, NotANumberStaysInItsChannel) {
    std::mt19937_64 random = random_generator();
    for (const float poison :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        for (const Problem& clean : problems_of_each_form(random, 1, 1)) {
            const reference::Geometry geometry = clean.geometry();
            for (const size_t where :
                 {size_t{0}, geometry.values_per_channel() / 2, geometry.values_per_channel() - 1}) {
                Problem dirty = clean;
                const size_t at = geometry.at(where / geometry.positions, 1, where % geometry.positions);
                dirty.x[at] = poison;
                const Forward expected = forward_training(clean), got = forward_training(dirty);
                dirty.dy[at] = poison;
                const Gradients expected_back = backward(clean, expected), got_back = backward(dirty, got);
                for (size_t n = 0; n < geometry.images; ++n) {
                    for (size_t s = 0; s < geometry.positions; ++s) {
                        EXPECT_TRUE(std::isnan(got.y[geometry.at(n, 1, s)]));
                        for (const size_t c : {0, 2}) {
                            ASSERT_EQ(got.y[geometry.at(n, c, s)], expected.y[geometry.at(n, c, s)]);
                            ASSERT_EQ(got_back.dx[geometry.at(n, c, s)],
                                      expected_back.dx[geometry.at(n, c, s)]);
                        }
                    }
                }
                EXPECT_TRUE(std::isnan(got.running_var[1]));
                EXPECT_TRUE(std::isnan(got_back.dgamma[1]));
                for (const size_t c : {0, 2}) {
                    EXPECT_EQ(got.running_mean[c], expected.running_mean[c]);
                    EXPECT_EQ(got.running_var[c], expected.running_var[c]);
                    EXPECT_EQ(got_back.dgamma[c], expected_back.dgamma[c]);
                    EXPECT_EQ(got_back.dbeta[c], expected_back.dbeta[c]);
                }
            }
        }
    }
}

struct Accuracy {
    double variance = 0;  ///< worst relative error
    double y = 0;         ///< worst error
    double scaled_y =
        0;  ///< worst error over max(1, |y|): values far out have the rounding error of their size
};

Accuracy accuracy_of(const Problem& problem) {
    const reference::Geometry geometry = problem.geometry();
    const Forward got = forward_training(problem);
    const reference::Moments batch = reference::moments(geometry, problem.x);
    const reference::Values y = reference::normalize(
        geometry, problem.x, batch.mean,
        reference::inv_std(geometry, batch.variance, problem.options.convention.epsilon), {}, {});
    Accuracy worst;
    for (size_t c = 0; c < geometry.channels; ++c) {
        const double exact = batch.variance[c];
        const double error = std::abs(got.running_var[c] - exact);
        worst.variance = std::max(worst.variance, exact == 0 ? error : error / exact);
    }
    for (size_t i = 0; i < y.size(); ++i) {
        const double error = std::abs(got.y[i] - y[i]);
        worst.y = std::max(worst.y, error);
        worst.scaled_y = std::max(worst.scaled_y, error / std::max(1.0, std::abs(y[i])));
    }
    return worst;
}

/// The numbers that others are measured by: 200 704 values in a channel, float32 against float64 of the same
/// values.
TEST(BatchNormData, AccuracyOverManyValues) {
    std::mt19937_64 random = random_generator();
    struct Row {
        const char* name;
        float mean, deviation;
        std::function<float(float, size_t)> change{};
        bool far = false;  ///< some values are many deviations out
    };
    const std::vector<Row> rows{
        {"mean 0, std 1", 0, 1},
        {"mean 1e4, std 1", 1e4f, 1},
        {"mean 1e6, std 0.1", 1e6f, 0.1f},
        {"mean 1e4, 1e6 first", 1e4f, 1, [](float x, size_t i) { return i == 0 ? 1e6f : x; }, true},
        {"mean 1e4, zeros first", 1e4f, 1, [](float x, size_t i) { return i < 1000 ? 0 : x; }, true},
        {"constant", 0, 1, [](float, size_t) { return 1e4f / 3; }},
        {"ramp", 0, 1, [](float, size_t i) { return 1e4f + static_cast<float>(i); }},
    };
    std::printf(
        "200704 values per channel       relative error of variance   error of y   over max(1, |y|)\n");
    for (const Row& row : rows) {
        for (const Layout layout : {Layout::channels_first, Layout::channels_last}) {
            const bool first = layout == Layout::channels_first;
            Problem problem = random_problem(
                {.shape = first ? std::vector<uint32_t>{64, 2, 56, 56} : std::vector<uint32_t>{64, 56, 56, 2},
                 .layout = layout,
                 .convention = {RunningVariance::biased, Momentum::weighs_new, 1, 1e-5f}},
                random, row.mean, row.deviation);
            problem.gamma.clear();
            problem.beta.clear();
            problem.aligned = true;
            if (row.change) {
                const std::vector<float> x = problem.x;
                size_t at = 0;
                fill(problem, [&](size_t, size_t i) { return row.change(x[at++], i); });
            }
            const Accuracy accuracy = accuracy_of(problem);
            std::printf("%-21s %-10s %16.1e %19.1e %12.1e\n", row.name, first ? "NCHW" : "NHWC",
                        accuracy.variance, accuracy.y, accuracy.scaled_y);
            if (!row.far) {
                EXPECT_LE(accuracy.y, 1e-6);
            }
            EXPECT_LE(accuracy.scaled_y, 1e-6);
            EXPECT_LE(accuracy.variance, 1e-6);
        }
    }
}

}  // namespace
}  // namespace vknorm::testing
