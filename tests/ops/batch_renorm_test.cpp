// Batch renormalization: nearly what inference will do, as far as r and d are let go.
#include "vknorm/batch_renorm.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "reference/family_expected.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

struct Problem : reference::RenormData {
    BatchRenormOptions options{};
    bool in_place = false;
};

struct Results {
    std::vector<float> y, mean, inv_std, r, d, moving_mean, moving_deviation, dx, dgamma, dbeta;
    int64_t batches = 0;

    bool operator==(const Results&) const = default;
};

/// Channels near their moving statistics and far from them.
Problem random_problem(const BatchRenormOptions& options) {
    std::mt19937_64 random = random_generator();
    const reference::Geometry geometry(options.shape, options.layout);
    Problem problem;
    problem.options = options;
    problem.x = random_floats(random, geometry.elements(), -1, 5);
    problem.dy = random_floats(random, geometry.elements(), -1, 2);
    problem.gamma = random_floats(random, geometry.channels, -2, 2);
    problem.beta = random_floats(random, geometry.channels);
    problem.moving_mean = random_floats(random, geometry.channels, -6, 10);
    problem.moving_deviation = random_floats(random, geometry.channels, 0.2f, 6);
    problem.limits = {.r_max = 2, .d_max = 1.5f};
    return problem;
}

Results run_both(const Problem& problem) {
    const BatchRenorm op(test_device(), problem.options);
    const size_t tensor = op.elements() * 4, channels = op.channels() * 4;
    const GuardedBuffer x(problem.x), own_y(tensor, "y"), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer mean(2 * channels, "mean"), inv_std(channels, "inv_std");
    const GuardedBuffer r(channels, "r"), d(channels, "d"), batches(std::vector<int64_t>{8});
    const GuardedBuffer moving_mean(problem.moving_mean), moving_deviation(problem.moving_deviation);
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    const BufferView y = problem.in_place ? x.view() : own_y.view();
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x,
                                       .y = y,
                                       .gamma = gamma,
                                       .beta = beta,
                                       .moving_mean = moving_mean,
                                       .moving_deviation = moving_deviation,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .r = r,
                                       .d = d,
                                       .num_batches_tracked = batches,
                                       .limits = problem.limits,
                                       .scratch = scratch});
    });
    Results results{.y = download<float>(y),
                    .mean = mean.download(),
                    .inv_std = inv_std.download(),
                    .r = r.download(),
                    .d = d.download(),
                    .moving_mean = moving_mean.download(),
                    .moving_deviation = moving_deviation.download(),
                    .batches = batches.download<int64_t>()[0]};
    if (problem.in_place) upload(x.view(), problem.x);
    const bool accumulate = !problem.dgamma.empty();
    const std::vector<float> zeros(op.channels());
    const GuardedBuffer dy(problem.dy), own_dx(tensor, "dx");
    const GuardedBuffer dgamma(accumulate ? problem.dgamma : zeros),
        dbeta(accumulate ? problem.dbeta : zeros);
    const BufferView dx = problem.in_place ? dy.view() : own_dx.view();
    run([&](Recorder& recorder) {
        op.backward(recorder, {.x = x,
                               .dy = dy,
                               .mean = mean,
                               .inv_std = inv_std,
                               .r = r,
                               .d = d,
                               .gamma = gamma,
                               .dx = dx,
                               .dgamma = dgamma,
                               .dbeta = dbeta,
                               .accumulate = accumulate,
                               .scratch = scratch});
    });
    results.dx = download<float>(dx);
    results.dgamma = dgamma.download();
    results.dbeta = dbeta.download();
    return results;
}

std::vector<float> infer(const Problem& problem) {
    const BatchRenorm op(test_device(), problem.options);
    const GuardedBuffer x(problem.x), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer moving_mean(problem.moving_mean), moving_deviation(problem.moving_deviation);
    run([&](Recorder& recorder) {
        op.forward_inference(recorder, {.x = x,
                                        .y = x,
                                        .gamma = gamma,
                                        .beta = beta,
                                        .moving_mean = moving_mean,
                                        .moving_deviation = moving_deviation});
    });
    return x.download();
}

void check(const Problem& problem) {
    SCOPED_TRACE(::testing::PrintToString(problem.options.shape));
    const Results got = run_both(problem);
    const Expectations forward = reference::expected_forward_training(problem, problem.options);
    const Expectations backward = reference::expected_backward(problem, problem.options);
    expect_near("batch_renorm.y", got.y, forward.at("y"));
    expect_near("batch_renorm.mean", got.mean, forward.at("mean"));
    expect_near("batch_renorm.inv_std", got.inv_std, forward.at("inv_std"));
    expect_near("batch_renorm.r", got.r, forward.at("r"));
    expect_near("batch_renorm.d", got.d, forward.at("d"));
    expect_near("batch_renorm.moving_mean", got.moving_mean, forward.at("moving_mean"));
    expect_near("batch_renorm.moving_deviation", got.moving_deviation, forward.at("moving_deviation"));
    expect_near("batch_renorm.dx", got.dx, backward.at("dx"));
    expect_near("batch_renorm.dgamma", got.dgamma, backward.at("dgamma"));
    expect_near("batch_renorm.dbeta", got.dbeta, backward.at("dbeta"));
    EXPECT_EQ(got.batches, 9);
    EXPECT_EQ(got, run_both(problem)) << "the same bits from run to run";
    expect_near("batch_renorm.inference.y", infer(problem),
                reference::expected_forward_inference(problem, problem.options).at("y"));
}

TEST(BatchRenorm, ShapesAndMovingDeviations) {
    for (const MovingDeviation moving : {MovingDeviation::deviation, MovingDeviation::variance}) {
        check(random_problem({.shape = {33, 13}, .moving = moving}));
        check(random_problem({.shape = {4, 30, 5, 5}, .momentum = 0.25f, .moving = moving}));
        check(random_problem({.shape = {5, 7, 20}, .layout = Layout::channels_last, .moving = moving}));
        check(random_problem({.shape = {6, 3, 40, 40}, .epsilon = 0.1f, .moving = moving}));
    }
    check(random_problem({.shape = {3, 2000}}));
}

TEST(BatchRenorm, InPlaceAndOntoExistingGradients) {
    Problem problem = random_problem({.shape = {5, 4, 6}});
    problem.in_place = true;
    problem.dgamma = {1, 2, 3, 4};
    problem.dbeta = {5, 6, 7, 8};
    check(problem);
}

TEST(BatchRenorm, LimitsOfOneAndZeroAreBatchNormalization) {
    Problem problem = random_problem({.shape = {6, 5, 30}});
    problem.limits = {.r_max = 1, .d_max = 0};
    const Results got = run_both(problem);
    EXPECT_EQ(got.r, std::vector<float>(5, 1));
    EXPECT_EQ(got.d, std::vector<float>(5, 0));
    const BatchNorm op(test_device(), {.shape = problem.options.shape});
    const GuardedBuffer x(problem.x), y(problem.x.size() * 4, "y"), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer mean(40, "mean"), inv_std(20, "inv_std"), scratch(op.scratch_bytes(), "scratch");
    const GuardedBuffer dy(problem.dy), dgamma(20, "dgamma"), dbeta(20, "dbeta");
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x,
                                       .y = y,
                                       .gamma = gamma,
                                       .beta = beta,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .scratch = scratch});
        op.backward(recorder, {.x = x,
                               .dy = dy,
                               .mean = mean,
                               .inv_std = inv_std,
                               .gamma = gamma,
                               .dx = dy,
                               .dgamma = dgamma,
                               .dbeta = dbeta,
                               .scratch = scratch});
    });
    EXPECT_EQ(got.y, y.download());
    EXPECT_EQ(got.dx, dy.download());
    EXPECT_EQ(got.dgamma, dgamma.download());
    EXPECT_EQ(got.dbeta, dbeta.download());
}

// Where r and d are not clipped, training does what inference does with the statistics from before.
TEST(BatchRenorm, WithoutClippingTrainingIsInference) {
    Problem problem = random_problem({.shape = {6, 5, 30}});
    problem.limits = {.r_max = 1000, .d_max = 1000};
    const Results trained = run_both(problem);
    const std::vector<float> inferred = infer(problem);
    for (size_t i = 0; i < inferred.size(); ++i)
        ASSERT_NEAR(trained.y[i], inferred[i], 4e-6 * (std::abs(inferred[i]) + 20));
}

TEST(BatchRenorm, SameBitsInBothLayouts) {
    constexpr uint32_t images = 4, channels = 5, positions = 12;
    const Problem rows = random_problem({.shape = {images, channels, positions}});
    Problem columns = rows;
    columns.options.shape = {images, positions, channels};
    columns.options.layout = Layout::channels_last;
    columns.x = transposed(rows.x, channels, positions);
    columns.dy = transposed(rows.dy, channels, positions);
    Results of_rows = run_both(rows);
    of_rows.y = transposed(of_rows.y, channels, positions);
    of_rows.dx = transposed(of_rows.dx, channels, positions);
    EXPECT_EQ(of_rows, run_both(columns));
}

TEST(BatchRenorm, NanStaysInItsChannel) {
    for (const float bad : {nan, infinity}) {
        Problem problem = random_problem({.shape = {4, 3, 5}});
        const Results sound = run_both(problem);
        problem.x[7] = bad;  // channel 1
        const Results got = run_both(problem);
        for (size_t i = 0; i < got.y.size(); ++i) {
            if (i / 5 % 3 == 1) {
                EXPECT_TRUE(std::isnan(got.y[i])) << i;
            } else {
                EXPECT_EQ(got.y[i], sound.y[i]) << i;
                EXPECT_EQ(got.dx[i], sound.dx[i]) << i;
            }
        }
        EXPECT_TRUE(std::isnan(got.r[1]));
        EXPECT_EQ(got.moving_mean[2], sound.moving_mean[2]);
    }
}

TEST(BatchRenorm, EmptyBatch) {
    const BatchRenorm op(test_device(), {.shape = {0, 2, 3}});
    const GuardedBuffer moving_mean(std::vector<float>{1, 2}), moving_deviation(std::vector<float>{3, 4});
    const GuardedBuffer mean(16, "mean"), inv_std(8, "inv_std"), r(8, "r"), d(8, "d");
    const GuardedBuffer dgamma(8, "dgamma"), dbeta(8, "dbeta"), batches(std::vector<int64_t>{8});
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.moving_mean = moving_mean,
                                       .moving_deviation = moving_deviation,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .r = r,
                                       .d = d,
                                       .num_batches_tracked = batches,
                                       .scratch = scratch});
        op.backward(recorder, {.mean = mean,
                               .inv_std = inv_std,
                               .r = r,
                               .d = d,
                               .dgamma = dgamma,
                               .dbeta = dbeta,
                               .scratch = scratch});
    });
    EXPECT_EQ(moving_mean.download(), (std::vector<float>{1, 2}));
    EXPECT_EQ(moving_deviation.download(), (std::vector<float>{3, 4}));
    EXPECT_EQ(batches.download<int64_t>()[0], 9);
    EXPECT_EQ(inv_std.download(), std::vector<float>(2, 0));
    EXPECT_EQ(dgamma.download(), std::vector<float>(2, 0));
    EXPECT_EQ(dbeta.download(), std::vector<float>(2, 0));
}

TEST(BatchRenorm, ScheduleOfThePaper) {
    const auto expect = [](uint64_t step, float r_max, float d_max) {
        EXPECT_FLOAT_EQ(paper_schedule(step).r_max, r_max) << step;
        EXPECT_FLOAT_EQ(paper_schedule(step).d_max, d_max) << step;
    };
    expect(0, 1, 0);
    expect(5000, 1, 0);
    expect(15000, 1 + 2.f * 10 / 35, 2.5f);
    expect(25000, 1 + 2.f * 20 / 35, 5);
    expect(40000, 3, 5);
    expect(std::numeric_limits<uint64_t>::max(), 3, 5);
}

TEST(BatchRenorm, Arguments) {
    const auto options = [](const BatchRenormOptions& wanted) {
        return refusal([&] { BatchRenorm(test_device(), wanted); });
    };
    EXPECT_EQ(options({.shape = {4}}), "batch_renorm: shape: got 1 dimensions, needs 2 to 5");
    EXPECT_EQ(options({.shape = {4, 2}, .epsilon = 0}),
              "batch_renorm: epsilon: got 0.000000, needs a finite number above 0");
    EXPECT_EQ(options({.shape = {4, 2}, .momentum = nan}), "batch_renorm: momentum: got nan, needs 0 to 1");

    const BatchRenorm op(test_device(), {.shape = {4, 2}});
    const Buffer all(test_device(), 4096, "all"), scratch(test_device(), op.scratch_bytes(), "scratch");
    const BatchRenorm::ForwardTraining good{.x = all.view(0, 32),
                                            .y = all.view(32, 32),
                                            .moving_mean = all.view(64, 8),
                                            .moving_deviation = all.view(72, 8),
                                            .mean = all.view(80, 16),
                                            .inv_std = all.view(96, 8),
                                            .r = all.view(104, 8),
                                            .d = all.view(112, 8),
                                            .scratch = scratch};
    const auto forward = [&](const std::function<void(BatchRenorm::ForwardTraining&)>& change) {
        BatchRenorm::ForwardTraining arguments = good;
        change(arguments);
        Stream stream(test_device());
        return refusal([&] { op.forward_training(stream.record(), arguments); });
    };
    const std::string call = "batch_renorm.forward_training: ";
    EXPECT_EQ(forward([](auto&) {}), "no error");
    EXPECT_EQ(forward([](auto& a) { a.limits.r_max = 0.5f; }),
              call + "limits.r_max: got 0.500000, needs a finite number from 1 on");
    EXPECT_EQ(forward([](auto& a) { a.limits.r_max = nan; }),
              call + "limits.r_max: got nan, needs a finite number from 1 on");
    EXPECT_EQ(forward([](auto& a) { a.limits.d_max = -1; }),
              call + "limits.d_max: got -1.000000, needs a finite number from 0 on");
    EXPECT_EQ(forward([](auto& a) { a.limits.d_max = infinity; }),
              call + "limits.d_max: got inf, needs a finite number from 0 on");
    EXPECT_EQ(forward([](auto& a) { a.moving_mean = {}; }),
              call + "moving_mean: got no buffer, needs 8 bytes");
    EXPECT_EQ(forward([](auto& a) { a.r.bytes = 4; }), call + "r: got 4 bytes, needs 8");
    EXPECT_EQ(forward([](auto& a) { a.d = a.r; }),
              call + "r: got memory that overlaps d, needs memory of its own");
    EXPECT_EQ(forward([](auto& a) { a.y = a.x; }), "no error");

    const BatchRenorm single(test_device(), {.shape = {1, 2}});
    Stream stream(test_device());
    EXPECT_EQ(refusal([&] { single.forward_training(stream.record(), good); }),
              call + "x: got 1 value per channel, shape (1, 2), needs more than 1 when training");
}

}  // namespace
}  // namespace vknorm::testing
