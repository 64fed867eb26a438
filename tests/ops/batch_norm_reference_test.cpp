// The float64 reference against closed forms and invariants: it shares no code with the kernels.
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "reference/batch_norm.hpp"

namespace vknorm::reference {
namespace {

std::vector<float> random_values(size_t count, uint32_t seed, float mean = 0, float deviation = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(generator);
    return values;
}

TEST(BatchNormReference, ClosedForm) {
    // Two channels of values 1..4 and 10, 10, 10, 14: means 2.5 and 11, biased variances 1.25 and 3.
    const Geometry geometry({2, 2, 2}, Layout::channels_first);
    const std::vector<float> x{1, 2, 10, 10, 3, 4, 10, 14};
    const Moments batch = moments(geometry, x);
    EXPECT_EQ(batch.mean, (Values{2.5, 11}));
    EXPECT_EQ(batch.variance, (Values{1.25, 3}));
    const Values scale = inv_std(geometry, batch.variance, 0);
    const Values y =
        normalize(geometry, x, batch.mean, scale, std::vector<float>{2, 1}, std::vector<float>{0.5, 0});
    EXPECT_DOUBLE_EQ(y[0], 2 * -1.5 / std::sqrt(1.25) + 0.5);
    EXPECT_DOUBLE_EQ(y[7], 3 / std::sqrt(3.0));
}

TEST(BatchNormReference, LayoutsHoldTheSameValues) {
    const Geometry first({2, 3, 5, 7}, Layout::channels_first);
    const Geometry last({2, 5, 7, 3}, Layout::channels_last);
    const std::vector<float> x = random_values(first.elements(), 1);
    std::vector<float> moved(x.size());
    for (size_t n = 0; n < 2; ++n) {
        for (size_t c = 0; c < 3; ++c) {
            for (size_t s = 0; s < 35; ++s) moved[last.at(n, c, s)] = x[first.at(n, c, s)];
        }
    }
    EXPECT_EQ(moments(first, x).mean, moments(last, moved).mean);
    EXPECT_EQ(moments(first, x).variance, moments(last, moved).variance);
}

TEST(BatchNormReference, RunningStatisticsOfEachConvention) {
    const Geometry geometry({4, 1}, Layout::channels_first);
    const Moments batch{{3}, {6}};
    const std::vector<float> mean{1}, variance{2};
    const auto updated = [&](const BatchNormConvention& convention, int64_t batches = 1) {
        const Running running = update_running(geometry, batch, convention, mean, variance, batches);
        return std::pair(running.mean[0], running.variance[0]);
    };
    EXPECT_NEAR(updated(BatchNormConvention::torch()).first, 0.9 * 1 + 0.1 * 3, 1e-7);
    EXPECT_NEAR(updated(BatchNormConvention::torch()).second, 0.9 * 2 + 0.1 * 8, 1e-7);
    EXPECT_NEAR(updated(BatchNormConvention::onnx()).second, 0.9 * 2 + 0.1 * 6, 1e-7);
    EXPECT_NEAR(updated(BatchNormConvention::keras()).first, 0.99 * 1 + 0.01 * 3, 1e-7);
    BatchNormConvention cumulative;
    cumulative.momentum_form = Momentum::cumulative;
    EXPECT_DOUBLE_EQ(updated(cumulative, 4).first, 0.75 * 1 + 0.25 * 3);
}

struct Problem {
    Geometry geometry{{3, 2, 4}, Layout::channels_first};
    std::vector<float> x = random_values(24, 2, 3, 2);
    std::vector<float> dy = random_values(24, 3);
    std::vector<float> gamma{1.5f, -0.75f};
    std::vector<float> beta{0.25f, 1};
    double epsilon = 0.125;

    Gradients gradients() const {
        const Moments batch = moments(geometry, x);
        return backward(geometry, x, dy, batch.mean, inv_std(geometry, batch.variance, epsilon), gamma);
    }
};

TEST(BatchNormReference, Invariants) {
    const Problem problem;
    const Moments batch = moments(problem.geometry, problem.x);
    const Values scale = inv_std(problem.geometry, batch.variance, problem.epsilon);
    const Values y = normalize(problem.geometry, problem.x, batch.mean, scale, problem.gamma, problem.beta);
    const Gradients gradients = problem.gradients();
    for (size_t c = 0; c < 2; ++c) {
        double sum = 0, squares = 0, sum_dx = 0, sum_dx_x = 0;
        for (size_t n = 0; n < 3; ++n) {
            for (size_t s = 0; s < 4; ++s) {
                const size_t i = problem.geometry.at(n, c, s);
                sum += y[i];
                squares += (y[i] - problem.beta[c]) * (y[i] - problem.beta[c]);
                sum_dx += gradients.dx[i];
                sum_dx_x += gradients.dx[i] * (problem.x[i] - batch.mean[c]) * scale[c];
            }
        }
        const double v = batch.variance[c], g = problem.gamma[c];
        EXPECT_NEAR(sum / 12, problem.beta[c], 1e-14);
        EXPECT_NEAR(squares / 12, g * g * v / (v + problem.epsilon), 1e-14);
        EXPECT_NEAR(sum_dx, 0, 1e-13);
        // x^ is orthogonal to dx but for epsilon: sum dx * x^ = gamma * inv_std * epsilon * inv_std^2 *
        // dgamma.
        EXPECT_NEAR(sum_dx_x, g * scale[c] * problem.epsilon * scale[c] * scale[c] * gradients.dgamma[c],
                    1e-13);
    }
}

TEST(BatchNormReference, EdgesOfTheDefinition) {
    const Geometry empty({0, 2}, Layout::channels_first);
    EXPECT_EQ(moments(empty, {}).mean, (Values{0, 0}));
    EXPECT_EQ(inv_std(empty, {0, 0}, 1e-5), (Values{0, 0}));
    const Geometry constant({3, 1}, Layout::channels_first);
    EXPECT_EQ(inv_std(constant, {0}, 0), (Values{0}));
}

}  // namespace
}  // namespace vknorm::reference
