// Running statistics in every convention, the counter of batches, single values and empty batches.
#include <gtest/gtest.h>
#include <stdexcept>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

TEST(BatchNormConventions, RunningStatistics) {
    std::mt19937_64 random = random_generator();
    std::vector<BatchNormConvention> conventions{BatchNormConvention::torch(), BatchNormConvention::onnx(),
                                                 BatchNormConvention::keras()};
    for (const RunningVariance variance : {RunningVariance::unbiased, RunningVariance::biased}) {
        for (const Momentum form : {Momentum::weighs_new, Momentum::weighs_old, Momentum::cumulative}) {
            for (const float momentum : {0.0f, 0.25f, 1.0f})
                conventions.push_back({variance, form, momentum, 1e-3f});
        }
    }
    for (const BatchNormConvention& convention : conventions) {
        // Few values, so that m / (m - 1) is far from 1.
        Problem problem = random_problem({.shape = {3, 5}, .convention = convention}, random);
        problem.batches = 2;
        check_forward_training(problem);
    }
}

TEST(BatchNormConventions, CumulativeIsTheAverageOverBatches) {
    std::mt19937_64 random = random_generator();
    BatchNormOptions options{.shape = {4, 3}};
    options.convention.momentum_form = Momentum::cumulative;
    Problem problem = random_problem(options, random);
    std::vector<double> sums(3);
    for (int batch = 1; batch <= 5; ++batch) {
        problem.x = random_problem(options, random).x;
        const reference::Moments moments = reference::moments(problem.geometry(), problem.x);
        const Forward forward = forward_training(problem);
        for (size_t c = 0; c < 3; ++c) {
            sums[c] += moments.mean[c];
            EXPECT_NEAR(forward.running_mean[c], sums[c] / batch, 1e-6);
        }
        problem.running_mean = forward.running_mean;
        problem.running_var = forward.running_var;
        problem.batches = forward.batches;
    }
    EXPECT_EQ(problem.batches, 5);
}

TEST(BatchNormConventions, TheCounterHas64Bits) {
    std::mt19937_64 random = random_generator();
    for (const bool cumulative : {false, true}) {
        for (const int64_t batches :
             {int64_t{0}, int64_t{0xffffffff}, int64_t{0x4ffffffff}, int64_t{0x100000000}}) {
            Problem problem = random_problem({.shape = {300, 200}}, random);
            if (cumulative) problem.options.convention.momentum_form = Momentum::cumulative;
            problem.batches = batches;
            check_forward_training(problem);
        }
    }
}

TEST(BatchNormConventions, WithoutRunningStatisticsNothingElseChanges) {
    std::mt19937_64 random = random_generator();
    const Problem tracked = random_problem({.shape = {7, 3, 5}}, random);
    Problem untracked = tracked;
    untracked.running_mean.clear();
    untracked.running_var.clear();
    EXPECT_EQ(forward_training(tracked).y, forward_training(untracked).y);
    check_forward_training(untracked);
}

TEST(BatchNormConventions, SingleValues) {
    std::mt19937_64 random = random_generator();
    Problem problem = random_problem({.shape = {1, 6}, .single_value = SingleValue::keep_running}, random);
    Forward forward = forward_training(problem);
    EXPECT_EQ(forward.y, problem.beta);
    EXPECT_EQ(forward.running_mean, problem.running_mean);
    EXPECT_EQ(forward.running_var, problem.running_var);
    EXPECT_EQ(forward.batches, 1);
    for (const float dx : backward(problem, forward).dx) EXPECT_EQ(dx, 0);

    problem.options.single_value = SingleValue::normalize;
    forward = forward_training(problem);
    EXPECT_EQ(forward.y, problem.beta);
    check_forward_training(problem);

    problem.options.single_value = SingleValue::error;
    try {
        forward_training(problem);
        FAIL();
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(
            error.what(),
            "batch_norm.forward_training: x: got 1 value per channel, shape (1, 6), needs more than 1 when "
            "training");
    }
    check_forward_inference(problem);
}

TEST(BatchNormConventions, EmptyBatches) {
    std::mt19937_64 random = random_generator();
    for (const std::vector<uint32_t>& shape :
         {std::vector<uint32_t>{0, 5}, {0, 5, 3}, {2, 5, 0}, {2, 5, 4, 0}}) {
        SCOPED_TRACE(::testing::PrintToString(shape));
        Problem problem = random_problem({.shape = shape}, random);
        problem.batches = 41;
        const Forward forward = forward_training(problem);
        EXPECT_TRUE(forward.y.empty());
        EXPECT_EQ(forward.mean, std::vector<float>(10, 0.0f));
        EXPECT_EQ(forward.inv_std, std::vector<float>(5, 0.0f));
        EXPECT_EQ(forward.running_mean, problem.running_mean);
        EXPECT_EQ(forward.running_var, problem.running_var);
        EXPECT_EQ(forward.batches, 42);
        EXPECT_TRUE(forward_inference(problem).empty());
        for (const Gradients& gradients : {backward(problem, forward), backward_frozen(problem)}) {
            EXPECT_TRUE(gradients.dx.empty());
            EXPECT_EQ(gradients.dgamma, std::vector<float>(5, 0.0f));
            EXPECT_EQ(gradients.dbeta, std::vector<float>(5, 0.0f));
        }
    }
}

}  // namespace
}  // namespace vknorm::testing
