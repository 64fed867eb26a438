// Batch normalization in stages: parts of a batch, whatever their sizes, do what the whole batch does.
#include "vknorm/batch_norm_stages.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <memory>

#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

enum class Joined { merged, accumulated };

struct Results {
    Forward forward;
    Gradients gradients;
    std::vector<float> own_dgamma;  ///< the parts' own, added up
    std::vector<uint32_t> moments;

    bool operator==(const Results& other) const {
        return forward.y == other.forward.y && forward.mean == other.forward.mean &&
               forward.inv_std == other.forward.inv_std && gradients.dx == other.gradients.dx &&
               gradients.dgamma == other.gradients.dgamma && moments == other.moments;
    }
};

BatchNormStages stages_of(BatchNormOptions options, uint32_t images) {
    options.shape.front() = images;
    return BatchNormStages(test_device(), options);
}

/// The problem in parts of so many images.
Results run_parts(const Problem& problem, const std::vector<uint32_t>& images, Joined joined) {
    const auto count = static_cast<uint32_t>(images.size());
    const size_t channels = problem.geometry().channels;
    const VkDeviceSize moment_bytes = channels * sizeof(ChannelMoments);
    const GuardedBuffer x(problem.x), y(problem.x.size() * 4, "y"), dy(problem.dy);
    const GuardedBuffer dx(problem.x.size() * 4, "dx"), gamma(problem.gamma), beta(problem.beta);
    const GuardedBuffer parts(count * moment_bytes, "moments of parts", true);
    const GuardedBuffer part_sums(count * moment_bytes, "sums of parts", true);
    const GuardedBuffer moments(std::vector<uint32_t>(4 * channels), "moments", true);
    const GuardedBuffer sums(std::vector<uint32_t>(4 * channels), "sums", true);
    const GuardedBuffer mean(8 * channels, "mean"), inv_std(4 * channels, "inv_std");
    const GuardedBuffer running_mean(problem.running_mean), running_var(problem.running_var);
    const GuardedBuffer batches(std::vector<int64_t>{problem.batches});
    const GuardedBuffer dgamma(4 * channels, "dgamma"), dbeta(4 * channels, "dbeta");
    const GuardedBuffer own_dgamma(std::vector<float>(channels), "own dgamma");

    const auto for_each_part = [&](auto visit) {
        VkDeviceSize first = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const BatchNormStages op = stages_of(problem.options, images[i]);
            const GuardedBuffer scratch(op.scratch_bytes(), "scratch");
            const auto part = [&](const BufferView& all) {
                return BufferView{all.buffer, all.offset + first * 4, op.elements() * 4};
            };
            const auto row = [&](const BufferView& all) {
                return BufferView{all.buffer, all.offset + i * moment_bytes, moment_bytes};
            };
            run([&](Recorder& recorder) { visit(recorder, op, part, row, scratch.view()); });
            first += op.elements();
        }
    };
    const bool accumulate = joined == Joined::accumulated;
    const BatchNormStages whole = stages_of(problem.options, problem.options.shape[0]);
    for_each_part([&](Recorder& recorder, auto& op, auto part, auto row, auto scratch) {
        op.measure(recorder, {.x = part(x),
                              .moments = accumulate ? moments.view() : row(parts),
                              .accumulate = accumulate,
                              .scratch = scratch});
    });
    run([&](Recorder& recorder) {
        if (!accumulate) {
            whole.merge(recorder,
                        BatchNormStages::MergeMoments{.parts = count, .from = parts, .moments = moments});
        }
        whole.finish(recorder, {.moments = moments,
                                .mean = mean,
                                .inv_std = inv_std,
                                .running_mean = running_mean,
                                .running_var = running_var,
                                .num_batches_tracked = batches});
    });
    for_each_part([&](Recorder& recorder, auto& op, auto part, auto row, auto scratch) {
        op.normalize(
            recorder,
            {.x = part(x), .y = part(y), .gamma = gamma, .beta = beta, .mean = mean, .inv_std = inv_std});
        const BufferView own = accumulate ? sums.view() : row(part_sums);
        op.sum(recorder, {.x = part(x),
                          .dy = part(dy),
                          .mean = mean,
                          .inv_std = inv_std,
                          .sums = own,
                          .accumulate = accumulate,
                          .scratch = scratch});
        if (!accumulate) {
            op.parameter_gradients(recorder, {.sums = own, .dgamma = own_dgamma, .accumulate = true});
        }
    });
    run([&](Recorder& recorder) {
        if (!accumulate) {
            whole.merge(recorder,
                        BatchNormStages::MergeSums{.parts = count, .from = part_sums, .sums = sums});
        }
        whole.parameter_gradients(recorder, {.sums = sums, .dgamma = dgamma, .dbeta = dbeta});
    });
    for_each_part([&](Recorder& recorder, auto& op, auto part, auto, auto scratch) {
        op.differentiate(recorder, {.x = part(x),
                                    .dy = part(dy),
                                    .mean = mean,
                                    .inv_std = inv_std,
                                    .gamma = gamma,
                                    .moments = moments,
                                    .sums = sums,
                                    .dx = part(dx),
                                    .scratch = scratch});
    });
    return {{y.download(), mean.download(), inv_std.download(), running_mean.download(),
             running_var.download(), batches.download<int64_t>()[0]},
            {dx.download(), dgamma.download(), dbeta.download()},
            own_dgamma.download(),
            moments.download<uint32_t>()};
}

void check(const Problem& problem, const std::vector<uint32_t>& images) {
    SCOPED_TRACE(::testing::PrintToString(problem.options.shape) + " in " + ::testing::PrintToString(images));
    const Expectations forward = reference::expected_forward_training(problem);
    const Expectations backward = reference::expected_backward(problem);
    for (const Joined joined : {Joined::merged, Joined::accumulated}) {
        const Results got = run_parts(problem, images, joined);
        expect_near("batch_norm_stages.y", got.forward.y, forward.at("y"));
        expect_near("batch_norm_stages.mean", got.forward.mean, forward.at("mean"));
        expect_near("batch_norm_stages.inv_std", got.forward.inv_std, forward.at("inv_std"));
        expect_near("batch_norm_stages.running_mean", got.forward.running_mean, forward.at("running_mean"));
        expect_near("batch_norm_stages.running_var", got.forward.running_var, forward.at("running_var"));
        expect_near("batch_norm_stages.dx", got.gradients.dx, backward.at("dx"));
        expect_near("batch_norm_stages.dgamma", got.gradients.dgamma, backward.at("dgamma"));
        expect_near("batch_norm_stages.dbeta", got.gradients.dbeta, backward.at("dbeta"));
        if (joined == Joined::merged)
            expect_near("batch_norm_stages.own_dgamma", got.own_dgamma, backward.at("dgamma"));
        EXPECT_EQ(got.forward.batches, problem.batches + 1);
        EXPECT_EQ(got, run_parts(problem, images, joined)) << "the same bits from run to run";
    }
}

Problem random_stages(const BatchNormOptions& options) {
    std::mt19937_64 random = random_generator();
    return random_problem(options, random, 30, 1);
}

TEST(BatchNormStages, PartsDoWhatTheWholeBatchDoes) {
    for (const std::vector<uint32_t>& images :
         {std::vector<uint32_t>{9}, {3, 3, 3}, {1, 8}, {4, 0, 5}, {0, 0, 9, 0}}) {
        check(random_stages({.shape = {9, 5, 7, 3}}), images);
        check(random_stages({.shape = {9, 21, 5}, .layout = Layout::channels_last}), images);
    }
    check(random_stages({.shape = {40, 6, 24, 24}}), {10, 20, 0, 10});
    check(random_stages({.shape = {30, 3, 2}, .per_activation = true}), {10, 15, 5});
    check(random_stages({.shape = {20, 2, 3}}), std::vector<uint32_t>(20, 1));
}

TEST(BatchNormStages, SameBitsInBothLayouts) {
    if (mode().small_limits) GTEST_SKIP() << "needs tensors that fit a binding";
    constexpr uint32_t images = 6, channels = 5, positions = 300;
    const Problem rows = random_stages({.shape = {images, channels, positions}});
    Problem columns = rows;
    columns.options.shape = {images, positions, channels};
    columns.options.layout = Layout::channels_last;
    columns.x = transposed(rows.x, channels, positions);
    columns.dy = transposed(rows.dy, channels, positions);
    Results of_rows = run_parts(rows, {2, 4}, Joined::merged);
    of_rows.forward.y = transposed(of_rows.forward.y, channels, positions);
    of_rows.gradients.dx = transposed(of_rows.gradients.dx, channels, positions);
    EXPECT_EQ(of_rows, run_parts(columns, {2, 4}, Joined::merged));
}

TEST(BatchNormStages, AccumulatingIsMergingInOrder) {
    const Problem problem = random_stages({.shape = {9, 3, 50}});
    EXPECT_EQ(run_parts(problem, {2, 1, 4, 2}, Joined::merged),
              run_parts(problem, {2, 1, 4, 2}, Joined::accumulated));
}

TEST(BatchNormStages, EmptyPartsChangeNoBit) {
    const Problem problem = random_stages({.shape = {6, 3, 50}});
    EXPECT_EQ(run_parts(problem, {2, 4}, Joined::merged),
              run_parts(problem, {0, 2, 0, 4, 0}, Joined::merged));
}

TEST(BatchNormStages, NanStaysInItsChannel) {
    Problem problem = random_stages({.shape = {4, 3, 5}});
    const Results sound = run_parts(problem, {2, 2}, Joined::merged);
    problem.x[7] = nan;  // channel 1
    const Results got = run_parts(problem, {2, 2}, Joined::merged);
    for (size_t i = 0; i < problem.x.size(); ++i) {
        const bool poisoned = i / 5 % 3 == 1;
        EXPECT_EQ(std::isnan(got.forward.y[i]), poisoned) << i;
        if (poisoned) continue;
        EXPECT_EQ(got.gradients.dx[i], sound.gradients.dx[i]) << i;
    }
}

/// A merge of what the host gives.
std::vector<ChannelMoments> merged(uint32_t channels, uint32_t parts,
                                   const std::vector<ChannelMoments>& moments) {
    const BatchNormStages op(test_device(), {.shape = {1, channels}});
    const GuardedBuffer from(moments, "from", true);
    const GuardedBuffer result(channels * sizeof(ChannelMoments), "result", true);
    run([&](Recorder& recorder) {
        op.merge(recorder, BatchNormStages::MergeMoments{.parts = parts, .from = from, .moments = result});
    });
    return result.download<ChannelMoments>();
}

// With small limits more than a binding holds.
TEST(BatchNormStages, MergesManyPartsOfManyChannels) {
    for (const auto& [channels, parts] : {std::pair{2000u, 5u}, {3u, 4001u}, {1u, 1u}}) {
        std::vector<ChannelMoments> moments;
        const double count = parts, mean = (count - 1) / 2;
        for (uint32_t part = 0; part < parts; ++part)
            for (uint32_t c = 0; c < channels; ++c)
                moments.push_back({2, static_cast<float>(part + 10 * c), 0, 1});
        const double spread = count * (count * count - 1) / 12;  // sum of (part - mean)^2
        const std::vector<ChannelMoments> result = merged(channels, parts, moments);
        for (uint32_t c = 0; c < channels; ++c) {
            ASSERT_EQ(result[c].count, 2 * parts);
            ASSERT_NEAR(result[c].mean + double{result[c].mean_lost}, mean + 10 * c, 1e-6 * (1 + mean));
            ASSERT_NEAR(result[c].squares, count + 2 * spread, 1e-6 * (count + 2 * spread));
        }
    }
}

// A mean far from zero has digits below its own rounding, and says so as promised.
TEST(BatchNormStages, MomentsAreRoundedMeansAndTheRest) {
    const BatchNormStages op(test_device(), {.shape = {3, 1}});
    const GuardedBuffer x(std::vector<float>{16777216, 16777216, 16777218}), scratch(op.scratch_bytes(), "");
    const GuardedBuffer moments(sizeof(ChannelMoments), "moments", true);
    run([&](Recorder& recorder) { op.measure(recorder, {.x = x, .moments = moments, .scratch = scratch}); });
    const ChannelMoments got = moments.download<ChannelMoments>()[0];
    EXPECT_EQ(got.count, 3u);
    EXPECT_EQ(got.mean, static_cast<float>(double{got.mean} + got.mean_lost)) << "the mean is rounded";
    EXPECT_NEAR(double{got.mean} + got.mean_lost, 16777216 + 2.0 / 3, 1e-6);
    EXPECT_NEAR(got.squares, 8.0 / 3, 1e-6);

    const GuardedBuffer single(std::vector<float>{1, 1.5f, 2}), again(sizeof(ChannelMoments), "", true);
    run([&](Recorder& recorder) {
        op.measure(recorder, {.x = single, .moments = again, .scratch = scratch});
    });
    EXPECT_EQ(again.download<ChannelMoments>()[0].mean, 1.5f);
}

TEST(BatchNormStages, PreciseStatisticsOfADataSet) {
    Problem problem = random_stages({.shape = {50, 4, 6}});
    problem.options.convention.momentum = 1;
    // Whatever was there before.
    problem.running_mean.assign(4, 1e6f);
    problem.running_var.assign(4, -1e6f);
    const Results got = run_parts(problem, {16, 16, 16, 2}, Joined::accumulated);
    const Expectations expected = reference::expected_forward_training(problem);
    for (size_t c = 0; c < 4; ++c) {
        EXPECT_NEAR(got.forward.running_mean[c], expected.at("running_mean").values[c], 1e-5);
        EXPECT_NEAR(got.forward.running_var[c], expected.at("running_var").values[c], 1e-6);
    }
}

TEST(BatchNormStages, FinishCountsAndKeepsWhatOneValueCannotTell) {
    BatchNormOptions options{.shape = {0, 2}};
    options.convention.momentum_form = Momentum::cumulative;
    const BatchNormStages op(test_device(), options);
    const GuardedBuffer moments(std::vector<ChannelMoments>{{1, 5, 0, 0}, {4, 8, 0, 12}}, "moments", true);
    const GuardedBuffer running_mean(std::vector<float>{1, 2}), running_var(std::vector<float>{3, 4});
    const GuardedBuffer batches(std::vector<int64_t>{3}), mean(16, "mean"), inv_std(8, "inv_std");
    run([&](Recorder& recorder) {
        op.finish(recorder, {.moments = moments,
                             .mean = mean,
                             .inv_std = inv_std,
                             .running_mean = running_mean,
                             .running_var = running_var,
                             .num_batches_tracked = batches});
    });
    EXPECT_EQ(batches.download<int64_t>()[0], 4);
    EXPECT_EQ(mean.download(), (std::vector<float>{5, 8, 0, 0}));
    EXPECT_EQ(running_mean.download(), (std::vector<float>{1, 3.5f}));  // 2 + (8 - 2) / 4
    EXPECT_EQ(running_var.download(), (std::vector<float>{3, 4}));      // 12 / 3 is what it was
}

TEST(BatchNormStages, NothingAtAll) {
    const BatchNormStages op(test_device(), {.shape = {0, 2, 3}});
    const GuardedBuffer moments(32, "moments", true), sums(32, "sums", true), scratch(op.scratch_bytes(), "");
    const GuardedBuffer mean(16, "mean"), inv_std(8, "inv_std"), dgamma(8, "dgamma");
    run([&](Recorder& recorder) {
        op.measure(recorder, {.moments = moments, .scratch = scratch});
        op.finish(recorder, {.moments = moments, .mean = mean, .inv_std = inv_std});
        op.normalize(recorder, {.mean = mean, .inv_std = inv_std});
        op.sum(recorder, {.mean = mean, .inv_std = inv_std, .sums = sums, .scratch = scratch});
        op.parameter_gradients(recorder, {.sums = sums, .dgamma = dgamma});
        op.differentiate(
            recorder,
            {.mean = mean, .inv_std = inv_std, .moments = moments, .sums = sums, .scratch = scratch});
    });
    EXPECT_EQ(moments.download<uint32_t>(), std::vector<uint32_t>(8, 0));
    EXPECT_EQ(sums.download<uint32_t>(), std::vector<uint32_t>(8, 0));
    EXPECT_EQ(mean.download(), std::vector<float>(4, 0));
    EXPECT_EQ(inv_std.download(), std::vector<float>(2, 0));
    EXPECT_EQ(dgamma.download(), std::vector<float>(2, 0));
}

TEST(BatchNormStages, Arguments) {
    EXPECT_EQ(refusal([] { BatchNormStages(test_device(), {.shape = {4}}); }),
              "batch_norm_stages: shape: got 1 dimensions, needs 2 to 5");
    const BatchNormStages op(test_device(), {.shape = {4, 2}});
    const Buffer all(test_device(), 4096, "all"), scratch(test_device(), op.scratch_bytes(), "scratch");
    const auto message = [&](const std::function<void(Recorder&)>& call) {
        Stream stream(test_device());
        return refusal([&] { call(stream.record()); });
    };
    using Measure = BatchNormStages::Measure;
    const auto measure = [&](const std::function<void(Measure&)>& change) {
        Measure arguments{.x = all.view(0, 32), .moments = all.view(64, 32), .scratch = scratch};
        change(arguments);
        return message([&](Recorder& recorder) { op.measure(recorder, arguments); });
    };
    EXPECT_EQ(measure([](Measure&) {}), "no error");
    EXPECT_EQ(measure([](Measure& a) { a.moments.offset = 68; }),
              "batch_norm_stages.measure: moments: got offset 68, needs a multiple of 16");
    EXPECT_EQ(measure([](Measure& a) { a.x.bytes = 28; }),
              "batch_norm_stages.measure: x: got 28 bytes, needs 32");
    EXPECT_EQ(measure([](Measure& a) { a.scratch = {}; }),
              "batch_norm_stages.measure: scratch: got no buffer, needs " +
                  std::to_string(op.scratch_bytes()) + " bytes");
    using MergeMoments = BatchNormStages::MergeMoments;
    const auto merge = [&](const MergeMoments& arguments) {
        return message([&](Recorder& recorder) { op.merge(recorder, arguments); });
    };
    EXPECT_EQ(merge({.parts = 0, .from = all.view(0, 64), .moments = all.view(64, 32)}),
              "batch_norm_stages.merge: parts: got 0, needs at least 1");
    EXPECT_EQ(merge({.parts = 3, .from = all.view(0, 64), .moments = all.view(64, 32)}),
              "batch_norm_stages.merge: from: got 64 bytes, needs 96");
    EXPECT_EQ(merge({.parts = 2, .from = all.view(0, 64), .moments = all.view(32, 32)}),
              "batch_norm_stages.merge: moments: got memory that overlaps from, needs memory of its own");
    EXPECT_EQ(message([&](Recorder& recorder) {
                  op.finish(recorder, {.moments = all.view(0, 32), .mean = all.view(64, 8)});
              }),
              "batch_norm_stages.finish: mean: got 8 bytes, needs 16");
    EXPECT_EQ(message([&](Recorder& recorder) {
                  op.differentiate(recorder, {.x = all.view(0, 32),
                                              .dy = all.view(32, 32),
                                              .mean = all.view(64, 16),
                                              .inv_std = all.view(80, 8),
                                              .sums = all.view(128, 32),
                                              .dx = all.view(256, 32),
                                              .scratch = scratch});
              }),
              "batch_norm_stages.differentiate: moments: got no buffer, needs 32 bytes");
}

}  // namespace
}  // namespace vknorm::testing
