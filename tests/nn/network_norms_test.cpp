// What networks do with every norm alike, and what only some do.
#include <array>
#include <cmath>
#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "nn/network_problem.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using namespace reference;

RenormLimits limits(uint64_t) {
    return {1.5f, 0.5f};
}

/// Two layers of different sizes and parts.
NetworkOptions normed_options(Norm norm) {
    return {
        .inputs = 6,
        .hidden = {{.units = 20, .norm = norm, .groups = 5, .ghost_size = 10},
                   {.units = 12, .norm = norm, .activation = Activation::tanh, .groups = 3, .ghost_size = 7}},
        .classes = 3,
        .max_batch = 24,
        .seed = 9,
        .renorm = limits};
}

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

// network_test.cpp tries none and batch norm.
constexpr std::array norms = {Norm::layer, Norm::group, Norm::rms, Norm::batch_renorm, Norm::ghost};

TEST(NetworkNorms, StartsFromTheSameWeights) {
    for (const Norm norm : norms) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = normed_options(norm);
        Network network(test_device(), options), plain(test_device(), normed_options(Norm::none));
        for (const std::string& tensor : plain.tensor_names())
            EXPECT_EQ(network.tensor(tensor), plain.tensor(tensor)) << tensor;
    }
}

TEST(NetworkNorms, LearnsMoons) {
    for (const Norm norm : norms) {
        SCOPED_TRACE(name(norm));
        NetworkOptions options = normed_options(norm);
        options.inputs = options.classes = 2;
        const auto [train, test] = split(make_2d(Shape2D::moons, 600, 0.1f, 3), 400, 1);
        Network network(test_device(), options);
        network.set_optimizer(Sgd{.learning_rate = 0.2f});
        BatchOrder order(train.size(), 20, 3);
        const double before = network.evaluate(train.inputs, train.labels, Statistics::running).loss;
        for (int i = 0; i < 100; ++i) (void)step(network, take(train, order));
        const double after = network.evaluate(train.inputs, train.labels, Statistics::running).loss,
                     accuracy = network.evaluate(test.inputs, test.labels, Statistics::running).accuracy;
        std::printf("%s on moons: loss %.3f, then %.3f; accuracy %.3f\n", name(norm), before, after,
                    accuracy);
        EXPECT_LT(after, 0.5 * before);
        EXPECT_GT(accuracy, 0.85);
    }
}

// After which it goes on as a network does that was given the same tensors, and was not evaluated.
TEST(NetworkNorms, EvaluatesLikeTheReferenceAndLeavesNoTrace) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : norms) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = normed_options(norm);
        Network network(test_device(), options);
        for (int i = 0; i < 5; ++i) (void)step(network, random_batch(random, options, 24));
        Network other(test_device(), options);
        for (const auto& [tensor, values] : contents_of(network)) other.set_tensor(tensor, values);
        const Labelled set = random_batch(random, options, 61);
        NetworkReference reference(options, tensors_of(network));

        const auto expected = [&](Statistics statistics, size_t chunk) {
            double loss = 0;
            for (size_t first = 0; first < set.labels.size(); first += chunk) {
                const size_t rows = std::min(chunk, set.labels.size() - first);
                const auto inputs = set.inputs.begin() + static_cast<ptrdiff_t>(first * options.inputs);
                const auto labels = set.labels.begin() + static_cast<ptrdiff_t>(first);
                const Labelled part{{inputs, inputs + static_cast<ptrdiff_t>(rows * options.inputs)},
                                    {labels, labels + static_cast<ptrdiff_t>(rows)}};
                const StepOptions how{.statistics = statistics, .renorm = limits(6)};
                loss += reference.measure(part, how).loss * static_cast<double>(rows);
            }
            return loss / static_cast<double>(set.labels.size());
        };
        for (const Statistics statistics : {Statistics::running, Statistics::batch})
            for (const uint32_t chunk : {24u, 11u, 1u})
                EXPECT_NEAR(network.evaluate(set.inputs, set.labels, statistics, chunk).loss,
                            expected(statistics, chunk), 2e-4)
                    << chunk;
        const Step whole = reference.measure(set, {.statistics = Statistics::running});
        expect_near("predicted probability", network.predict(set.inputs, Statistics::running),
                    whole.probabilities, 1e-6);
        const Labelled batch = random_batch(random, options, 24);
        EXPECT_EQ(network.result(step(network, batch)).loss, other.result(step(other, batch)).loss);
        EXPECT_EQ(contents_of(network), contents_of(other));
    }
}

TEST(NetworkNorms, KeepsItsRunningStatisticsUnlessTold) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : norms) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = normed_options(norm);
        Network network(test_device(), options);
        (void)step(network, random_batch(random, options, 24));
        const auto before = contents_of(network);
        network.set_update_running(false);
        (void)step(network, random_batch(random, options, 24));
        const auto still = contents_of(network);
        network.set_update_running(true);
        (void)step(network, random_batch(random, options, 24));
        const auto after = contents_of(network);
        for (const auto& [tensor, values] : before) {
            const bool running = tensor.find("running") != std::string::npos || tensor.ends_with("tracked");
            if (running) {
                EXPECT_EQ(still.at(tensor), values) << tensor;
            }

            // Before batch norm, the gradient of a bias is zero but for rounding.
            if (!tensor.ends_with("linear.bias")) {
                EXPECT_NE(after.at(tensor), still.at(tensor)) << tensor;
            }
        }
    }
}

TEST(NetworkNorms, ReportsItsStatistics) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : norms) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = normed_options(norm);
        Network network(test_device(), options);
        network.set_optimizer(Sgd{.learning_rate = 0.1f});
        NetworkReference reference(options, tensors_of(network));
        const Labelled batch = random_batch(random, options, 24);
        const Step expected = reference.train(batch, {.sgd = {.learning_rate = 0.1f}, .renorm = limits(1)});
        const StepResult result = network.result(step(network, batch));
        for (size_t layer = 0; layer < 2; ++layer) {
            const size_t units = options.hidden[layer].units;
            const reference::Values& z = expected.output.at(std::to_string(layer) + ".linear");
            ASSERT_EQ(result.statistics.at(std::to_string(layer) + ".norm").size(), units);
            const std::string prefix = std::to_string(layer) + ".norm.";
            for (size_t unit = 0; unit < units; ++unit) {
                const ChannelStatistics& got = result.statistics.at(std::to_string(layer) + ".norm")[unit];
                EXPECT_NEAR(got.gamma, reference.tensors.at(prefix + "weight")[unit], 1e-6);
                EXPECT_NEAR(got.beta, norm == Norm::rms ? 0 : reference.tensors.at(prefix + "bias")[unit],
                            1e-6);
                if (!keeps_running_statistics(norm)) {
                    EXPECT_TRUE(std::isnan(got.batch_mean) && std::isnan(got.batch_variance) &&
                                std::isnan(got.running_mean) && std::isnan(got.running_variance));
                    continue;
                }
                double mean = 0, variance = 0;  // over all rows, ghosts or not
                for (size_t row = 0; row < 24; ++row) mean += z[row * units + unit] / 24;
                for (size_t row = 0; row < 24; ++row)
                    variance += std::pow(z[row * units + unit] - mean, 2) / 24;
                EXPECT_NEAR(got.batch_mean, mean, 1e-6);
                EXPECT_NEAR(got.batch_variance, variance, 2e-6);
                EXPECT_NEAR(got.running_mean, reference.tensors.at(prefix + "running_mean")[unit], 1e-6);
                EXPECT_NEAR(got.running_variance, reference.tensors.at(prefix + "running_var")[unit], 1e-6);
            }
        }
    }
}

TEST(NetworkNorms, LimitsOfBatchRenormFollowTheStep) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = normed_options(Norm::batch_renorm);
    std::vector<uint64_t> asked;
    options.renorm = [&](uint64_t step) {
        asked.push_back(step);
        return step <= 2 ? RenormLimits{1, 0} : RenormLimits{3, 5};
    };
    Network renorm(test_device(), options), batch_norm(test_device(), normed_options(Norm::batch));
    for (int i = 1; i <= 3; ++i) {
        const Labelled batch = random_batch(random, options, 24);
        const float with = renorm.result(step(renorm, batch)).loss,
                    without = batch_norm.result(step(batch_norm, batch)).loss;
        EXPECT_EQ(std::abs(with - without) > 1e-4f, i == 3) << "step " << i << ": " << with - without;
    }
    EXPECT_EQ(asked, (std::vector<uint64_t>{1, 2, 3}));
    const Labelled set = random_batch(random, options, 24);
    (void)renorm.evaluate(set.inputs, set.labels, Statistics::batch);
    EXPECT_EQ(asked.back(), 4u) << "evaluated as in the next step";
}

TEST(NetworkNorms, GhostsCountEachAsABatch) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = normed_options(Norm::ghost);
    Network network(test_device(), options);
    (void)step(network, random_batch(random, options, 24));
    EXPECT_EQ(network.tensor("0.norm.num_batches_tracked"), std::vector<float>{3}) << "of 10, 10 and 4 rows";
    EXPECT_EQ(network.tensor("1.norm.num_batches_tracked"), std::vector<float>{4}) << "of 7, 7, 7 and 3 rows";
}

}  // namespace
}  // namespace vknorm::testing
