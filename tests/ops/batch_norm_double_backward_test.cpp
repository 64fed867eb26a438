// The gradient of the gradient, against the float64 reference and against differences of the first gradient.
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::Values;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct Results {
    std::vector<float> grad_dy, grad_x, grad_gamma;

    bool operator==(const Results&) const = default;
};

struct WantedGradients {
    bool dy = true, x = true, gamma = true;
};

Problem random_double(const BatchNormOptions& options, float mean = 2) {
    std::mt19937_64 random = random_generator();
    Problem problem = random_problem(options, random, mean, 1.5f);
    problem.ddx = random_floats(random, problem.x.size(), -1, 2);
    problem.ddgamma = random_floats(random, problem.gamma.size());
    problem.ddbeta = random_floats(random, problem.gamma.size());
    return problem;
}

/// Tensors are as aligned as the problem says; absent arguments are empty.
class Argument {
  public:
    Argument(const std::vector<float>& values, bool aligned)
        : present_(!values.empty()), buffer_(present_ ? values : std::vector<float>{0}, "", aligned) {}
    operator BufferView() const { return present_ ? buffer_.view() : BufferView{}; }
    std::vector<float> floats() const { return present_ ? buffer_.download() : std::vector<float>{}; }

  private:
    bool present_;
    GuardedBuffer buffer_;
};

Results double_backward(const Problem& problem, WantedGradients wanted = {}) {
    const BatchNorm op(test_device(), problem.options);
    const Forward forward = forward_training(problem);
    const bool aligned = problem.aligned;
    const std::vector<float> tensor(problem.x.size(), nan), channels(problem.geometry().channels, nan);
    const Argument x(problem.x, aligned), dy(problem.dy, aligned), ddx(problem.ddx, aligned);
    const Argument mean(forward.mean, false), inv_std(forward.inv_std, true), gamma(problem.gamma, false);
    const Argument ddgamma(problem.ddgamma, false), ddbeta(problem.ddbeta, true);
    const Argument grad_dy(wanted.dy ? tensor : std::vector<float>{}, aligned);
    const Argument grad_x(wanted.x ? tensor : std::vector<float>{}, aligned);
    const Argument grad_gamma(wanted.gamma ? channels : std::vector<float>{}, false);
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    run([&](Recorder& recorder) {
        op.double_backward(recorder, {.x = x,
                                      .dy = dy,
                                      .mean = mean,
                                      .inv_std = inv_std,
                                      .gamma = gamma,
                                      .ddx = ddx,
                                      .ddgamma = ddgamma,
                                      .ddbeta = ddbeta,
                                      .grad_dy = grad_dy,
                                      .grad_x = grad_x,
                                      .grad_gamma = grad_gamma,
                                      .scratch = scratch});
    });
    return {grad_dy.floats(), grad_x.floats(), grad_gamma.floats()};
}

void check(const Problem& problem, WantedGradients wanted = {}) {
    SCOPED_TRACE(::testing::PrintToString(problem.options.shape));
    const Results got = double_backward(problem, wanted);
    const Expectations expected = reference::expected_double_backward(problem);
    if (wanted.dy) expect_near("batch_norm.double_backward.grad_dy", got.grad_dy, expected.at("grad_dy"));
    if (wanted.x) expect_near("batch_norm.double_backward.grad_x", got.grad_x, expected.at("grad_x"));
    if (wanted.gamma)
        expect_near("batch_norm.double_backward.grad_gamma", got.grad_gamma, expected.at("grad_gamma"));
}

TEST(BatchNormDoubleBackward, Shapes) {
    for (const bool aligned : {false, true}) {
        for (const BatchNormOptions& options : {BatchNormOptions{.shape = {33, 13}},
                                                {.shape = {3, 5, 7}},
                                                {.shape = {4, 30, 8, 4}},
                                                {.shape = {2, 3, 90, 91}},
                                                {.shape = {20, 3001}},
                                                {.shape = {6, 9, 21}, .layout = Layout::channels_last},
                                                {.shape = {9, 3, 2}, .per_activation = true}}) {
            Problem problem = random_double(options);
            problem.aligned = aligned;
            check(problem);
        }
    }
}

TEST(BatchNormDoubleBackward, AbsentArgumentsAndUnwantedResults) {
    for (int absent = 0; absent < 16; ++absent) {
        Problem problem = random_double({.shape = {5, 6, 9}});
        if (absent & 1) problem.gamma.clear();
        if (absent & 2) problem.ddx.clear();
        if (absent & 4) problem.ddgamma.clear();
        if (absent & 8) problem.ddbeta.clear();
        for (int wanted = 1; wanted < 8; ++wanted)
            check(problem, {(wanted & 1) != 0, (wanted & 2) != 0, (wanted & 4) != 0});
    }
}

/// sum ddx * dx + sum ddgamma * dgamma + sum ddbeta * dbeta in float64.
double loss(const Problem& problem, const Values& x, const Values& dy, const Values& gamma) {
    const reference::Sets sets(problem.geometry());
    const reference::Moments moments = reference::moments(sets, x);
    const Values inv_std = reference::inv_std(sets, moments.variance, problem.options.convention.epsilon);
    const reference::Gradients gradients = reference::backward(sets, x, dy, moments.mean, inv_std, gamma);
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += problem.ddx[i] * gradients.dx[i];
    for (size_t c = 0; c < gamma.size(); ++c)
        sum += problem.ddgamma[c] * gradients.dgamma[c] + problem.ddbeta[c] * gradients.dbeta[c];
    return sum;
}

TEST(BatchNormDoubleBackward, IsTheSlopeOfTheLoss) {
    Problem problem = random_double({.shape = {3, 2, 4}});
    problem.options.convention.epsilon = 0.1f;  // far from nothing, so that its part shows
    const Results got = double_backward(problem);
    const auto values = [](const std::vector<float>& floats) { return Values(floats.begin(), floats.end()); };
    Values x = values(problem.x), dy = values(problem.dy), gamma = values(problem.gamma);
    const auto compare = [&](Values& moved, const std::vector<float>& gradient) {
        constexpr double step = 1e-4;
        for (size_t i = 0; i < moved.size(); ++i) {
            const double at = moved[i];
            moved[i] = at + step;
            const double above = loss(problem, x, dy, gamma);
            moved[i] = at - step;
            const double slope = (above - loss(problem, x, dy, gamma)) / (2 * step);
            moved[i] = at;
            EXPECT_NEAR(gradient[i], slope, 1e-5 * (1 + std::abs(slope))) << i;
        }
    };
    compare(dy, got.grad_dy);
    compare(x, got.grad_x);
    compare(gamma, got.grad_gamma);
}

TEST(BatchNormDoubleBackward, NoVarianceGivesNoNan) {
    Problem problem = random_double({.shape = {4, 2, 5}});
    problem.options.convention.epsilon = 0;
    fill(problem, [](size_t c, size_t i) { return c == 0 ? 3.f : static_cast<float>(i); });
    check(problem);
}

// A constant in dy and ddx is without effect on grad_gamma, however large it is.
TEST(BatchNormDoubleBackward, GradientsFarFromZero) {
    Problem problem = random_double({.shape = {8, 3, 30, 30}});
    constexpr float far = 4096;
    // Only digits that stay.
    for (float& value : problem.dy) value = value + far - far;
    for (float& value : problem.ddx) value = value + far - far;
    const Results expected = double_backward(problem);
    for (float& value : problem.dy) value += far;
    for (float& value : problem.ddx) value += far;
    const Results moved = double_backward(problem);
    // 7200 terms of about one each, which cancel to less than a hundred.
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(moved.grad_gamma[c], expected.grad_gamma[c], 5e-6 * 7200);
}

TEST(BatchNormDoubleBackward, SameBitsInBothLayoutsAndRunToRun) {
    if (mode().small_limits) GTEST_SKIP() << "needs tensors that fit a binding";
    constexpr uint32_t images = 4, channels = 5, positions = 300;
    const Problem rows = random_double({.shape = {images, channels, positions}});
    Problem columns = rows;
    columns.options.shape = {images, positions, channels};
    columns.options.layout = Layout::channels_last;
    columns.x = transposed(rows.x, channels, positions);
    columns.dy = transposed(rows.dy, channels, positions);
    columns.ddx = transposed(rows.ddx, channels, positions);
    Results of_rows = double_backward(rows);
    EXPECT_EQ(of_rows, double_backward(rows));
    of_rows.grad_dy = transposed(of_rows.grad_dy, channels, positions);
    of_rows.grad_x = transposed(of_rows.grad_x, channels, positions);
    EXPECT_EQ(of_rows, double_backward(columns));
}

TEST(BatchNormDoubleBackward, NanStaysInItsChannel) {
    const Problem sound = random_double({.shape = {4, 3, 5}});
    const Results expected = double_backward(sound);
    for (int tensor = 0; tensor < 3; ++tensor) {
        Problem problem = sound;
        (tensor == 0 ? problem.x : tensor == 1 ? problem.dy : problem.ddx)[7] = nan;  // channel 1
        const Results got = double_backward(problem);
        EXPECT_TRUE(std::isnan(got.grad_gamma[1]));
        for (size_t i = 0; i < got.grad_x.size(); ++i) {
            if (i / 5 % 3 == 1) {
                EXPECT_TRUE(std::isnan(got.grad_x[i])) << i;
            } else {
                EXPECT_EQ(got.grad_x[i], expected.grad_x[i]) << i;
                EXPECT_EQ(got.grad_dy[i], expected.grad_dy[i]) << i;
            }
        }
    }
}

TEST(BatchNormDoubleBackward, EmptyBatch) {
    const BatchNorm op(test_device(), {.shape = {0, 2}});
    const GuardedBuffer mean(std::vector<float>(4)), inv_std(std::vector<float>(2)),
        grad_gamma(8, "grad_gamma");
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    run([&](Recorder& recorder) {
        op.double_backward(recorder,
                           {.mean = mean, .inv_std = inv_std, .grad_gamma = grad_gamma, .scratch = scratch});
    });
    EXPECT_EQ(grad_gamma.download(), std::vector<float>(2, 0));
}

TEST(BatchNormDoubleBackward, Arguments) {
    const BatchNorm op(test_device(), {.shape = {4, 2}});
    const Buffer all(test_device(), 4096, "all"), scratch(test_device(), op.scratch_bytes(), "scratch");
    const BatchNorm::DoubleBackward good{.x = all.view(0, 32),
                                         .dy = all.view(32, 32),
                                         .mean = all.view(64, 16),
                                         .inv_std = all.view(80, 8),
                                         .ddx = all.view(96, 32),
                                         .grad_dy = all.view(128, 32),
                                         .grad_x = all.view(160, 32),
                                         .grad_gamma = all.view(192, 8),
                                         .scratch = scratch};
    const auto message = [&](const BatchNorm& batch_norm,
                             const std::function<void(BatchNorm::DoubleBackward&)>& change) {
        BatchNorm::DoubleBackward arguments = good;
        change(arguments);
        Stream stream(test_device());
        return refusal([&] { batch_norm.double_backward(stream.record(), arguments); });
    };
    const std::string call = "batch_norm.double_backward: ";
    EXPECT_EQ(message(op, [](auto&) {}), "no error");
    EXPECT_EQ(message(op, [](auto& a) { a.grad_dy = a.grad_x = a.grad_gamma = {}; }), "no error");
    EXPECT_EQ(message(op, [](auto& a) { a.dy = {}; }), call + "dy: got no buffer, needs 32 bytes");
    EXPECT_EQ(message(op, [](auto& a) { a.ddx.bytes = 28; }), call + "ddx: got 28 bytes, needs 32");
    EXPECT_EQ(message(op, [](auto& a) { a.grad_x = a.x; }),
              call + "grad_x: got memory that overlaps x, needs memory of its own");
    EXPECT_EQ(message(op, [](auto& a) { a.grad_dy = a.ddx; }),
              call + "grad_dy: got memory that overlaps ddx, needs memory of its own");
    if (!test_device().capabilities().storage_16_bit) return;
    const BatchNorm halves(test_device(), {.shape = {4, 2}, .storage = Storage::float16});
    EXPECT_EQ(message(halves, [](auto&) {}), call + "storage: got 16 bits, needs float32");
}

}  // namespace
}  // namespace vknorm::testing
