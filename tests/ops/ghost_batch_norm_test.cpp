// Ghosts: every part of the batch is a batch of its own.
#include "vknorm/ghost_batch_norm.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "reference/family_expected.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

struct Problem : reference::RunningData {
    GhostBatchNormOptions options{};
    bool in_place = false;
};

struct Results {
    std::vector<float> y, mean, inv_std, running_mean, running_var, dx, dgamma, dbeta;
    int64_t batches = 0;

    bool operator==(const Results&) const = default;
};

Problem random_problem(const GhostBatchNormOptions& options) {
    std::mt19937_64 random = random_generator();
    const reference::Geometry geometry(options.shape, options.layout);
    Problem problem;
    problem.options = options;
    problem.x = random_floats(random, geometry.elements(), -1, 3);
    problem.dy = random_floats(random, geometry.elements(), -1, 2);
    problem.gamma = random_floats(random, geometry.channels, 0.5f, 2);
    problem.beta = random_floats(random, geometry.channels);
    problem.running_mean = random_floats(random, geometry.channels);
    problem.running_var = random_floats(random, geometry.channels, 0.5f, 2);
    problem.batches = 6;
    return problem;
}

/// Forward, and backward with what it saved.
Results run_both(const Problem& problem) {
    const GhostBatchNorm op(test_device(), problem.options);
    const size_t tensor = op.elements() * sizeof(float), channels = op.channels() * sizeof(float);
    const GuardedBuffer x(problem.x), own_y(tensor, "y"), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer mean(op.ghosts() * 2 * channels, "mean"), inv_std(op.ghosts() * channels, "inv_std");
    const GuardedBuffer running_mean(problem.running_mean), running_var(problem.running_var);
    const GuardedBuffer batches(std::vector<int64_t>{problem.batches}),
        scratch(op.scratch_bytes(), "scratch");
    const BufferView y = problem.in_place ? x.view() : own_y.view();
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x,
                                       .y = y,
                                       .gamma = gamma,
                                       .beta = beta,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .running_mean = running_mean,
                                       .running_var = running_var,
                                       .num_batches_tracked = batches,
                                       .scratch = scratch});
    });
    Results results{.y = download<float>(y),
                    .mean = mean.download(),
                    .inv_std = inv_std.download(),
                    .running_mean = running_mean.download(),
                    .running_var = running_var.download(),
                    .batches = batches.download<int64_t>()[0]};
    if (problem.in_place) upload(x.view(), problem.x);
    const GuardedBuffer dy(problem.dy), own_dx(tensor, "dx");
    const GuardedBuffer dgamma(channels, "dgamma"), dbeta(channels, "dbeta");
    const bool accumulate = !problem.dgamma.empty();
    if (accumulate) {
        upload(dgamma.view(), problem.dgamma);
        upload(dbeta.view(), problem.dbeta);
    }
    const BufferView dx = problem.in_place ? dy.view() : own_dx.view();
    run([&](Recorder& recorder) {
        op.backward(recorder, {.x = x,
                               .dy = dy,
                               .mean = mean,
                               .inv_std = inv_std,
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

void check(const Problem& problem) {
    SCOPED_TRACE(::testing::PrintToString(problem.options.shape) + " in ghosts of " +
                 std::to_string(problem.options.ghost_size));
    const Results got = run_both(problem);
    const Expectations forward = reference::expected_forward(problem, problem.options);
    const Expectations backward = reference::expected_backward(problem, problem.options);
    expect_near("ghost_batch_norm.y", got.y, forward.at("y"));
    expect_near("ghost_batch_norm.mean", got.mean, forward.at("mean"));
    expect_near("ghost_batch_norm.inv_std", got.inv_std, forward.at("inv_std"));
    expect_near("ghost_batch_norm.running_mean", got.running_mean, forward.at("running_mean"));
    expect_near("ghost_batch_norm.running_var", got.running_var, forward.at("running_var"));
    expect_near("ghost_batch_norm.dx", got.dx, backward.at("dx"));
    expect_near("ghost_batch_norm.dgamma", got.dgamma, backward.at("dgamma"));
    expect_near("ghost_batch_norm.dbeta", got.dbeta, backward.at("dbeta"));
    const uint32_t images = problem.options.shape[0], size = problem.options.ghost_size;
    EXPECT_EQ(got.batches, problem.batches + images / size + (images % size > 0));
}

TEST(GhostBatchNorm, WholeShortAndSingleImages) {
    for (const uint32_t ghost_size : {1u, 2u, 3u, 6u, 7u, 40u}) {
        check(random_problem({.shape = {7, 3, 5, 3}, .ghost_size = ghost_size}));
        check(random_problem(
            {.shape = {7, 5, 3, 3}, .layout = Layout::channels_last, .ghost_size = ghost_size}));
    }
    check(random_problem({.shape = {130, 1}, .ghost_size = 32}));
    check(random_problem({.shape = {9, 30, 16, 16}, .ghost_size = 4}));
}

TEST(GhostBatchNorm, InPlaceAndOntoExistingGradients) {
    Problem problem = random_problem({.shape = {5, 4, 6}, .ghost_size = 2});
    problem.in_place = true;
    problem.dgamma = {1, 2, 3, 4};
    problem.dbeta = {5, 6, 7, 8};
    check(problem);
}

TEST(GhostBatchNorm, ConventionsReachEveryGhost) {
    GhostBatchNormOptions options{.shape = {7, 3, 4}, .ghost_size = 3};
    options.convention.momentum_form = Momentum::cumulative;
    check(random_problem(options));
    options.convention = BatchNormConvention::keras();
    check(random_problem(options));
}

TEST(GhostBatchNorm, OneGhostIsBatchNorm) {
    const Problem problem = random_problem({.shape = {6, 3, 7}, .ghost_size = 6});
    const Results ghost = run_both(problem);
    const BatchNorm op(test_device(), {.shape = problem.options.shape});
    const GuardedBuffer x(problem.x), y(problem.x.size() * 4, "y"), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer mean(24, "mean"), inv_std(12, "inv_std"), scratch(op.scratch_bytes(), "scratch");
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x,
                                       .y = y,
                                       .gamma = gamma,
                                       .beta = beta,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .scratch = scratch});
    });
    EXPECT_EQ(ghost.y, y.download());
    EXPECT_EQ(ghost.mean, mean.download());
}

// Every second ghost starts in the middle of a word.
TEST(GhostBatchNorm, GhostsOfHalvesAreNeighbours) {
    if (!test_device().capabilities().storage_16_bit) GTEST_SKIP() << "no 16-bit storage";
    constexpr uint32_t ghosts = 3, values = 5;
    const std::vector<uint16_t> halves = {0x3c00, 0x4000, 0xc000, 0x3800, 0x4200, 0x3e00, 0x0000, 0xbc00,
                                          0x4400, 0x3555, 0x3111, 0x3999, 0xb800, 0x4111, 0x3c01};
    const GhostBatchNorm op(test_device(),
                            {.shape = {ghosts, 1, values}, .ghost_size = 1, .storage = Storage::float16});
    const GuardedBuffer x(halves), y(30, "y"), mean(24, "mean"), inv_std(12, "inv_std");
    const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x, .y = y, .mean = mean, .inv_std = inv_std, .scratch = scratch});
    });
    const auto got = y.download<uint16_t>();
    const BatchNorm alone(test_device(), {.shape = {1, 1, values}, .storage = Storage::float16});
    for (size_t ghost = 0; ghost < ghosts; ++ghost) {
        const auto begin = static_cast<std::ptrdiff_t>(ghost * values);
        const GuardedBuffer part(
            std::vector<uint16_t>(halves.begin() + begin, halves.begin() + begin + values));
        run([&](Recorder& recorder) {
            alone.forward_training(
                recorder,
                {.x = part, .y = part, .mean = mean.view(), .inv_std = inv_std.view(), .scratch = scratch});
        });
        EXPECT_EQ(part.download<uint16_t>(),
                  std::vector<uint16_t>(got.begin() + begin, got.begin() + begin + values));
    }
}

TEST(GhostBatchNorm, SameBitsInBothLayoutsAndRunToRun) {
    constexpr uint32_t images = 7, channels = 5, positions = 12;
    const Problem rows = random_problem({.shape = {images, channels, positions}, .ghost_size = 3});
    Problem columns = rows;
    columns.options.shape = {images, positions, channels};
    columns.options.layout = Layout::channels_last;
    columns.x = transposed(rows.x, channels, positions);
    columns.dy = transposed(rows.dy, channels, positions);
    Results of_rows = run_both(rows);
    EXPECT_EQ(of_rows, run_both(rows));
    of_rows.y = transposed(of_rows.y, channels, positions);
    of_rows.dx = transposed(of_rows.dx, channels, positions);
    EXPECT_EQ(of_rows, run_both(columns));
}

TEST(GhostBatchNorm, EmptyBatch) {
    const GhostBatchNorm op(test_device(), {.shape = {0, 3, 4}});
    EXPECT_EQ(op.ghosts(), 0u);
    const GuardedBuffer dgamma(12, "dgamma"), dbeta(12, "dbeta"), batches(std::vector<int64_t>{4});
    const GuardedBuffer running(std::vector<float>{1, 2, 3}), scratch(op.scratch_bytes(), "scratch");
    const GuardedBuffer running_var(std::vector<float>{4, 5, 6});
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.running_mean = running,
                                       .running_var = running_var,
                                       .num_batches_tracked = batches,
                                       .scratch = scratch});
        op.backward(recorder, {.dgamma = dgamma, .dbeta = dbeta, .scratch = scratch});
        op.backward(recorder, {.dgamma = running, .dbeta = dbeta, .accumulate = true, .scratch = scratch});
    });
    EXPECT_EQ(dgamma.download(), std::vector<float>(3, 0));
    EXPECT_EQ(dbeta.download(), std::vector<float>(3, 0));
    EXPECT_EQ(running.download(), (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(batches.download<int64_t>()[0], 4);
}

TEST(GhostBatchNorm, NanStaysInItsGhostAndChannel) {
    Problem problem = random_problem({.shape = {4, 2, 5}, .ghost_size = 2});
    problem.x[0] = std::numeric_limits<float>::quiet_NaN();
    const Results got = run_both(problem);
    for (size_t i = 0; i < got.y.size(); ++i) EXPECT_EQ(std::isnan(got.y[i]), i < 20 && i % 10 < 5) << i;
    EXPECT_TRUE(std::isnan(got.dgamma[0]));
    EXPECT_FALSE(std::isnan(got.dgamma[1]));
}

TEST(GhostBatchNorm, Arguments) {
    const auto options = [](const GhostBatchNormOptions& wanted) {
        return refusal([&] { GhostBatchNorm(test_device(), wanted); });
    };
    EXPECT_EQ(options({.shape = {4}}), "ghost_batch_norm: shape: got 1 dimensions, needs 2 to 5");
    EXPECT_EQ(options({.shape = {4, 2}, .ghost_size = 0}),
              "ghost_batch_norm: ghost_size: got 0, needs at least 1");
    EXPECT_EQ(options({.shape = {4, 2}, .convention = {.momentum = 2}}),
              "ghost_batch_norm: momentum: got 2.000000, needs 0 to 1");

    const GhostBatchNorm op(test_device(), {.shape = {5, 2}, .ghost_size = 2});
    const Buffer all(test_device(), 4096, "all"), scratch(test_device(), op.scratch_bytes(), "scratch");
    const GhostBatchNorm::ForwardTraining good{.x = all.view(0, 40),
                                               .y = all.view(64, 40),
                                               .mean = all.view(128, 48),
                                               .inv_std = all.view(192, 24),
                                               .scratch = scratch};
    const auto forward = [&](const GhostBatchNorm& ghosts,
                             const std::function<void(GhostBatchNorm::ForwardTraining&)>& change) {
        GhostBatchNorm::ForwardTraining arguments = good;
        change(arguments);
        Stream stream(test_device());
        return refusal([&] { ghosts.forward_training(stream.record(), arguments); });
    };
    const auto nothing = [](auto&) {};
    EXPECT_EQ(forward(op, nothing),
              "ghost_batch_norm.forward_training: x: got 1 value per channel in ghost 2, needs more than 1 "
              "when training");
    const GhostBatchNorm keeps(test_device(),
                               {.shape = {5, 2}, .ghost_size = 2, .single_value = SingleValue::keep_running});
    EXPECT_EQ(forward(keeps, nothing), "no error");
    EXPECT_EQ(forward(keeps, [](auto& a) { a.mean.bytes = 16; }),
              "ghost_batch_norm.forward_training: mean: got 16 bytes, needs 48");
    EXPECT_EQ(forward(keeps, [](auto& a) { a.y.offset = 4; }),
              "ghost_batch_norm.forward_training: y: got memory that overlaps x, needs x itself or memory of "
              "its own");
    EXPECT_EQ(forward(keeps, [](auto& a) { a.inv_std.offset = 160; }),
              "ghost_batch_norm.forward_training: mean: got memory that overlaps inv_std, needs memory of "
              "its own");
}

}  // namespace
}  // namespace vknorm::testing
