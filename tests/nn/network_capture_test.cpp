// What norms are given and give in a step, copied to the host: which of it there is, and that the step does
// not depend on it. Whether the numbers are right is lab/microscope_test.cpp's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;

constexpr uint32_t units = 8, rows = 10;

Network network_of(Norm norm) {
    return {test_device(),
            residual_perceptron(6, units, 3, {.kind = norm, .groups = 2, .ghost_size = 4}),
            {.max_batch = 16, .seed = 5}};
}

StepResult step(Network& network, std::mt19937_64& random) {
    const Labelled batch = random_batch(random, network.options(), rows);
    return network.result(network.train_step(batch.inputs, batch.labels));
}

std::vector<std::string> norms_of(const Network& network) {
    std::vector<std::string> names;
    for (const Graph::Node& node : network.graph().nodes())
        if (std::holds_alternative<NormLayer>(node.layer)) names.push_back(node.name());
    return names;
}

TEST(NetworkCapture, HasWhatThereIsAndChangesNothing) {
    for (const Norm norm : every_norm) {
        if (norm == Norm::none) continue;
        SCOPED_TRACE(name(norm));
        std::mt19937_64 random(1), same(1);
        Network network = network_of(norm), left_alone = network_of(norm);
        const std::vector<std::string> names = norms_of(network);
        network.set_captured_norms(names);
        const StepResult result = step(network, random);
        EXPECT_EQ(result.loss, step(left_alone, same).loss);
        ASSERT_EQ(result.captured.size(), names.size());
        const bool running = keeps_running_statistics(norm), rms = norm == Norm::rms;
        for (size_t i = 0; i < names.size(); ++i) {
            const NormCapture& capture = result.captured.at(names[i]);
            EXPECT_EQ(capture.rows, rows);
            for (const auto* const tensor : {&capture.x, &capture.y, &capture.dy})
                EXPECT_EQ(tensor->size(), rows * units);
            // Before each block, and behind the last one, a norm reads a sum.
            const bool shared = i % 2 == 0 && i + 1 < names.size();
            EXPECT_EQ(capture.dx.size(), shared ? 0u : rows * units) << names[i];
            EXPECT_EQ(capture.gamma, std::vector<float>(units, 1)) << "as the step found it";
            EXPECT_EQ(capture.dgamma.size(), units);
            EXPECT_EQ(capture.beta.size(), rms ? 0 : units);
            EXPECT_EQ(capture.dbeta.size(), rms ? 0 : units);
            EXPECT_EQ(capture.running_mean, std::vector<float>(running ? units : 0, 0));
            EXPECT_EQ(capture.running_variance, std::vector<float>(running ? units : 0, 1));
            EXPECT_GT(capture.inv_std.size(), 0u);
            EXPECT_EQ(capture.mean.size(), rms ? 0 : 2 * capture.inv_std.size());
            EXPECT_EQ(capture.r.size(), norm == Norm::batch_renorm ? units : 0);
        }
        EXPECT_EQ(contents_of(network), contents_of(left_alone));
        network.set_captured_norms({});
        EXPECT_TRUE(step(network, random).captured.empty());
    }
}

TEST(NetworkCapture, WithRunningStatisticsNothingWasSaved) {
    std::mt19937_64 random(1);
    Network network = network_of(Norm::batch);
    const std::vector<std::string> names = norms_of(network);
    network.set_captured_norms({names[1], names[3]});
    network.set_frozen({.parameters = {names[1]}, .statistics = {names[1]}});
    const StepResult result = step(network, random);
    EXPECT_TRUE(result.captured.at(names[1]).mean.empty());
    EXPECT_TRUE(result.captured.at(names[1]).dgamma.empty());
    EXPECT_FALSE(result.captured.at(names[1]).dx.empty());
    EXPECT_FALSE(result.captured.at(names[3]).mean.empty());
    network.set_statistics(Statistics::running);
    network.set_train_affine(false);
    const StepResult frozen = step(network, random);
    EXPECT_TRUE(frozen.captured.at(names[3]).inv_std.empty());
    EXPECT_TRUE(frozen.captured.at(names[3]).dbeta.empty());
}

TEST(NetworkProbes, SeeWhatANormGivesWithoutGammaAndBeta) {
    for (const Norm norm : every_norm) {
        if (norm == Norm::none) continue;
        for (const bool running : {false, true}) {
            SCOPED_TRACE(std::string(name(norm)) + (running ? ", running" : ", batch"));
            std::mt19937_64 random(1), same(1);
            Network bare = network_of(norm), network = network_of(norm);
            const std::string node = norms_of(network).front();
            for (Network* const one : {&bare, &network})
                one->set_statistics(running ? Statistics::running : Statistics::batch);
            network.set_tensor(node + ".weight", std::vector<float>(units, -3));
            if (norm != Norm::rms) network.set_tensor(node + ".bias", std::vector<float>(units, 0.5f));
            const ProbeOptions fine{.bins = 32, .low = -4, .high = 4},
                coarse{.bins = 2, .low = -4, .high = 4};
            bare.set_probes({{.node = node, .options = fine}});
            network.set_probes(
                {{.node = node, .tensor = Tensor::normalized, .options = fine},
                 {.node = node, .tensor = Tensor::normalized, .options = coarse, .called = "coarse"}});
            const StepResult result = step(network, random);
            const ProbeResult expected = step(bare, same).probes.at(node + ".output"),
                              normalized = result.probes.at(node + ".normalized");
            EXPECT_EQ(normalized.histogram, expected.histogram);
            EXPECT_NEAR(normalized.minimum, expected.minimum, 4e-6);
            EXPECT_NEAR(normalized.maximum, expected.maximum, 4e-6);
            EXPECT_NEAR(normalized.variance, expected.variance, 4e-6);
            EXPECT_EQ(result.probes.at("coarse").histogram.size(), 2u);
            EXPECT_EQ(result.probes.at("coarse").maximum, normalized.maximum);
        }
    }
    Network network = network_of(Norm::batch);
    EXPECT_THAT([&] { network.set_probes({{.node = "stem", .tensor = Tensor::normalized}}); },
                ::testing::ThrowsMessage<std::invalid_argument>(
                    "network.set_probes: tensor: got what \"stem\" normalizes, needs a norm"));
}

TEST(NetworkCapture, IsOfNormsOnly) {
    Network network = network_of(Norm::batch);
    EXPECT_THAT([&] { network.set_captured_norms({"stem"}); },
                ::testing::ThrowsMessage<std::invalid_argument>(
                    "network.set_captured_norms: nodes: got \"stem\", needs names of norms"));
    EXPECT_THROW(network.set_captured_norms({"none of them"}), std::invalid_argument);
}

}  // namespace
}  // namespace vknorm::testing
