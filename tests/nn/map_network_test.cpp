// Networks on maps {channels, height, width}: that they learn, repeat, tell of channels, and drop out only in
// training.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/network.hpp>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

/// Maps whose class is the channel with the largest mean.
Labelled bright_channels(std::mt19937_64& random, size_t rows, uint32_t channels, uint32_t positions) {
    Labelled batch{random_floats(random, rows * channels * positions), {}};
    for (size_t row = 0; row < rows; ++row) {
        const auto label = static_cast<uint32_t>(random() % channels);
        batch.labels.push_back(label);
        for (uint32_t i = 0; i < positions; ++i)
            batch.inputs[(row * channels + label) * positions + i] += 1.f;
    }
    return batch;
}

TEST(MapNetwork, LearnsWithEveryNorm) {
    // Instance normalization takes away what these classes are told by.
    for (const Norm norm :
         {Norm::batch, Norm::layer, Norm::group, Norm::rms, Norm::batch_renorm, Norm::ghost}) {
        std::mt19937_64 random(3);
        Graph graph({4, 6, 6});
        NodeId x = graph.norm(graph.input(), {.kind = norm, .groups = 1});
        x = graph.max_pool2d(graph.activation(x, Activation::relu));
        x = graph.flatten(graph.average_pool2d(x, {.kernel = 3}));
        x = graph.dropout(graph.activation(graph.linear(x, {.units = 16}), Activation::relu), {.p = 0.2f});
        graph.linear(x, {.units = 4});
        Network network(test_device(), graph, {.max_batch = 32, .seed = 3});
        network.set_optimizer(Adam{.learning_rate = 0.02f});
        for (int i = 0; i < 60; ++i) (void)step(network, bright_channels(random, 32, 4, 36));
        const Labelled test = bright_channels(random, 200, 4, 36);
        EXPECT_GT(network.evaluate(test.inputs, test.labels, Statistics::running).accuracy, 0.9) << int(norm);
    }
}

TEST(MapNetwork, TheSameSeedGivesTheSameBitsProbedOrNot) {
    std::mt19937_64 random = random_generator();
    for (const NamedGraph& named : map_graphs()) {
        SCOPED_TRACE(named.name);
        Network probed(test_device(), named.graph, {.seed = 4}),
            left_alone(test_device(), named.graph, {.seed = 4});
        std::vector<NetworkProbe> probes;
        for (const Graph::Node& node : named.graph.nodes())
            for (const int32_t unit : {-1, 1})
                probes.push_back({.node = node.name(), .options = {.unit = unit}});
        probed.set_probes(probes);
        for (int i = 0; i < 3; ++i) {
            const Labelled batch = random_batch(random, probed.options(), 24);
            const StepResult result = probed.result(step(probed, batch));
            EXPECT_EQ(result.loss, left_alone.result(step(left_alone, batch)).loss);
            EXPECT_EQ(result.probes.size(), probes.size());
        }
        EXPECT_EQ(contents_of(probed), contents_of(left_alone));
    }
}

TEST(MapNetwork, OutputIsWhatANodeGives) {
    std::mt19937_64 random = random_generator();
    Graph graph({3, 6, 5});
    NodeId x = graph.conv2d(graph.input(), {.channels = 4, .padding = 1});
    x = graph.activation(graph.norm(x), Activation::relu);  // together, unless one looks between them
    graph.linear(graph.flatten(graph.max_pool2d(x)), {.units = 2});
    Network network(test_device(), graph, {.max_batch = 8});
    network.result(step(network, random_batch(random, network.options(), 8)));
    const std::vector<float> inputs = random_batch(random, network.options(), 11).inputs;  // in two chunks
    for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
        const std::vector<float> predicted = network.predict(inputs, statistics);
        EXPECT_EQ(network.output("input", inputs, statistics), inputs);
        std::vector<float> normalized = network.output("norm", inputs, statistics);
        ASSERT_EQ(normalized.size(), 11 * 4 * 30u);
        for (float& value : normalized) value = std::max(value, 0.f);
        EXPECT_EQ(network.output("activation", inputs, statistics), normalized);
        const std::vector<float> logits = network.output("linear", inputs, statistics);
        for (size_t row = 0; row < 11; ++row)
            EXPECT_NEAR(predicted[2 * row], 1 / (1 + std::exp(logits[2 * row + 1] - logits[2 * row])), 1e-6);
        EXPECT_EQ(network.predict(inputs, statistics), predicted);
    }
    EXPECT_EQ(refusal([&] { (void)network.output("pool", inputs, Statistics::running); }),
              "network.output: node: got \"pool\", needs the name of one of the graph's nodes");
}

TEST(MapNetwork, StatisticsAndProbesAreOfChannels) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : {Norm::batch, Norm::ghost, Norm::layer}) {
        Graph graph({3, 5, 4});
        graph.linear(graph.flatten(graph.norm(graph.input(), {.kind = norm, .ghost_size = 3})), {.units = 2});
        Network network(test_device(), graph, {.max_batch = 8});
        network.set_probes({{.node = "input", .options = {.unit = 2}}});
        const Labelled batch = random_batch(random, network.options(), 8);
        const StepResult result = network.result(step(network, batch));
        const std::vector<ChannelStatistics>& channels = result.statistics.at("norm");
        ASSERT_EQ(channels.size(), 3u);
        EXPECT_NEAR(channels[2].gamma, 1, 0.1);
        double mean = 0, square = 0;
        for (size_t row = 0; row < 8; ++row)
            for (size_t i = 0; i < 20; ++i) {
                const double value = batch.inputs[row * 60 + 40 + i];
                mean += value / 160;
                square += value * value / 160;
            }
        const ProbeResult& probe = result.probes.at("input.output[2]");
        EXPECT_NEAR(probe.mean, mean, 1e-6);
        EXPECT_NEAR(probe.variance, square - mean * mean, 1e-6);
        EXPECT_EQ(std::accumulate(probe.histogram.begin(), probe.histogram.end(), 0u), 160u);
        if (norm == Norm::layer) continue;
        EXPECT_NEAR(channels[2].batch_mean, mean, 1e-6);
        EXPECT_NEAR(channels[2].batch_variance, square - mean * mean, 2e-5);
    }
}

TEST(MapNetwork, OneRowIsEnoughWhereAChannelHasSeveralValues) {
    const std::vector<float> x(12, 0.5f);
    const std::vector<uint32_t> label = {1};
    Graph maps({3, 2, 2}), single({3, 1, 1});
    for (Graph* const graph : {&maps, &single})
        graph->linear(graph->flatten(graph->norm(graph->input())), {.units = 2});
    Network network(test_device(), maps);
    EXPECT_NO_THROW((void)network.result(network.train_step(x, label)));
    Network other(test_device(), single);
    EXPECT_EQ(refusal([&] { (void)other.train_step(std::span(x).first(3), label); }),
              "network.train_step: expected more than 1 value per channel when training, got input size [1, "
              "3, 1, 1]");
}

TEST(MapNetwork, NamesTheFirstChannel) {
    std::mt19937_64 random = random_generator();
    // A gamma so large that a product overflows.
    const auto overflow = [&](bool behind_a_norm) {
        Graph graph({3, 2, 2});
        NodeId x = graph.norm(graph.input(), {.kind = Norm::layer, .name = "scaled"});
        if (behind_a_norm) x = graph.norm(x);
        x = graph.activation(x, Activation::tanh);
        graph.linear(graph.flatten(x), {.units = 2});
        Network network(test_device(), graph);
        std::vector<float> gamma = network.tensor("scaled.weight");
        EXPECT_EQ(gamma.size(), 12u);
        gamma[7] = 3e38f;
        network.set_tensor("scaled.weight", gamma);
        Labelled batch = random_batch(random, network.options(), 4);
        batch.inputs[7] = 100;
        try {
            (void)network.result(step(network, batch));
        } catch (const Diverged& diverged) {
            return std::string(diverged.what());
        }
        return std::string("nothing was thrown");
    };
    EXPECT_THAT(overflow(false), HasSubstr("step 1: scaled, channel 1 is not finite"));
    EXPECT_THAT(overflow(true), HasSubstr("step 1: norm, channel 1 is not finite"));
}

TEST(MapNetwork, DropoutIsForTrainingOnly) {
    std::mt19937_64 random = random_generator();
    Graph plain({6}), dropping({6});
    plain.linear(plain.input(), {.units = 3});
    dropping.linear(dropping.dropout(dropping.input()), {.units = 3});
    const NetworkOptions options{.max_batch = 32, .seed = 2};
    Network without(test_device(), plain, options), with(test_device(), dropping, options);
    const Labelled batch = random_batch(random, without.options(), 32);
    for (const Statistics statistics : {Statistics::batch, Statistics::running})
        EXPECT_EQ(without.evaluate(batch.inputs, batch.labels, statistics).loss,
                  with.evaluate(batch.inputs, batch.labels, statistics).loss);
    EXPECT_EQ(without.predict(batch.inputs, Statistics::running),
              with.predict(batch.inputs, Statistics::running));
    EXPECT_NE(without.result(step(without, batch)).loss, with.result(step(with, batch)).loss);
}

// So that a run that goes on from its tensors and counters has the masks of one that was not interrupted.
TEST(MapNetwork, MasksFollowFromTheNumberOfTheStep) {
    std::mt19937_64 random = random_generator();
    Graph graph({6});
    graph.linear(graph.dropout(graph.linear(graph.input(), {.units = 20}), {.name = "drop"}), {.units = 3});
    Network unbroken(test_device(), graph, {.seed = 2}), resumed(test_device(), graph, {.seed = 2});
    for (int i = 0; i < 3; ++i) (void)step(unbroken, random_batch(random, unbroken.options(), 32));
    for (const auto& [name, values] : contents_of(unbroken)) resumed.set_tensor(name, values);
    const Labelled batch = random_batch(random, unbroken.options(), 32);
    Network other(test_device(), graph, {.seed = 2});
    for (const auto& [name, values] : contents_of(unbroken)) other.set_tensor(name, values);
    resumed.set_counter("steps", 3);
    const float loss = unbroken.result(step(unbroken, batch)).loss;
    EXPECT_EQ(resumed.result(step(resumed, batch)).loss, loss);
    EXPECT_NE(other.result(step(other, batch)).loss, loss);
}

}  // namespace
}  // namespace vknorm::testing
