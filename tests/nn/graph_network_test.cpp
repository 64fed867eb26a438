// Networks that are no perceptrons: that they learn, repeat, and say what they cannot do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using ::testing::HasSubstr;

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

TEST(GraphNetwork, OptionsComeFromTheGraph) {
    Network network(test_device(), residual_perceptron(6, 8, 3, {}), {.max_batch = 16});
    EXPECT_EQ(network.options().inputs, 6u);
    EXPECT_EQ(network.options().classes, 3u);
    EXPECT_EQ(network.graph().nodes().back().name(), "output");
    EXPECT_EQ(network.parameter_count(), 6u * 8 + 8 + 4 * 8 * 8 + 5 * 2 * 8 + 8 * 3 + 3);
    const std::vector<std::string> names = network.tensor_names();
    EXPECT_THAT(names, ::testing::Contains("linear_3.weight"));
    EXPECT_THAT(names, ::testing::Not(::testing::Contains("linear_3.bias")));
    EXPECT_THAT(names, ::testing::Contains("norm_4.running_var"));
}

// The sugar is the graph.
TEST(GraphNetwork, APerceptronIsItsGraph) {
    std::mt19937_64 random = random_generator();
    const HiddenLayer layer{20, Norm::batch, Activation::relu};
    const NetworkOptions options{.inputs = 6, .hidden = {layer, layer}, .classes = 3, .seed = 5};
    Network sugar(test_device(), options), graph(test_device(), perceptron(options), {.seed = 5});
    for (int i = 0; i < 3; ++i) {
        const Labelled batch = random_batch(random, options, 24);
        EXPECT_EQ(sugar.result(step(sugar, batch)).loss, graph.result(step(graph, batch)).loss);
    }
    EXPECT_EQ(contents_of(sugar), contents_of(graph));
}

TEST(GraphNetwork, ResidualAndPreActivationNetworksLearn) {
    const auto [train, test] = split(make_2d(Shape2D::moons, 600, 0.1f, 3), 400, 1);
    Graph ordered({2});
    NodeId x = ordered.linear(ordered.input(), {.units = 16, .bias = false});
    for (int i = 0; i < 2; ++i) {
        x = ordered.activation(ordered.norm(x), Activation::relu);
        x = ordered.linear(x, {.units = i == 0 ? 16u : 2u});
    }
    for (const Graph& graph :
         {residual_perceptron(2, 16, 2, {}), residual_perceptron(2, 16, 2, {.kind = Norm::layer}), ordered}) {
        Network network(test_device(), graph, {.max_batch = 20, .seed = 3});
        network.set_optimizer(Sgd{.learning_rate = 0.1f});
        BatchOrder order(train.size(), 20, 3);
        const double before = network.evaluate(train.inputs, train.labels, Statistics::running).loss;
        for (int i = 0; i < 100; ++i) (void)step(network, take(train, order));
        EXPECT_LT(network.evaluate(train.inputs, train.labels, Statistics::running).loss, 0.5 * before);
        EXPECT_GT(network.evaluate(test.inputs, test.labels, Statistics::running).accuracy, 0.85);
    }
}

// Which way the stripes of noisy pictures run: a convolution sees it, wherever they are.
TEST(GraphNetwork, AConvolutionalNetworkLearns) {
    constexpr uint32_t size = 8;
    std::mt19937_64 random = random_generator();
    const auto pictures = [&](size_t count) {
        Labelled batch;
        for (size_t i = 0; i < count; ++i) {
            const size_t phase = random() % 2;
            batch.labels.push_back(static_cast<uint32_t>(random() % 2));
            for (size_t at = 0; at < size * size; ++at)
                batch.inputs.push_back(
                    static_cast<float>(((batch.labels.back() == 0 ? at / size : at % size) + phase) % 2) +
                    random_floats(random, 1, -0.4f, 0.4f)[0]);
        }
        return batch;
    };
    Graph graph({1, size, size});
    NodeId x = graph.conv2d(graph.input(), {.channels = 4, .stride = 2, .padding = 1});
    x = graph.activation(x, Activation::relu);
    x = graph.activation(graph.conv2d(x, {.channels = 6, .bias = false}), Activation::relu);
    graph.linear(graph.flatten(x), {.units = 2});
    Network network(test_device(), graph, {.max_batch = 16, .seed = 2});
    network.set_optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f});
    for (int i = 0; i < 60; ++i) (void)step(network, pictures(16));
    const Labelled test = pictures(64);
    EXPECT_GT(network.evaluate(test.inputs, test.labels, Statistics::running).accuracy, 0.95);
}

TEST(GraphNetwork, TheSameSeedGivesTheSameBits) {
    std::mt19937_64 random = random_generator();
    for (const NamedGraph& named : unusual_graphs()) {
        SCOPED_TRACE(named.name);
        Network a(test_device(), named.graph, {.seed = 4}), b(test_device(), named.graph, {.seed = 4});
        Network other(test_device(), named.graph, {.seed = 5});
        EXPECT_NE(contents_of(a), contents_of(other));
        for (int i = 0; i < 3; ++i) {
            const Labelled batch = random_batch(random, a.options(), 24);
            EXPECT_EQ(a.result(step(a, batch)).loss, b.result(step(b, batch)).loss);
        }
        EXPECT_EQ(contents_of(a), contents_of(b));
    }
}

// Neither what shares memory nor what one kernel does changes a bit when it is looked at.
TEST(GraphNetwork, ProbesOfEverythingChangeNothing) {
    std::mt19937_64 random = random_generator();
    std::vector<NamedGraph> graphs = unusual_graphs();
    graphs.push_back({"perceptron", perceptron({.inputs = 6, .hidden = {{20}, {13}}, .classes = 3})});
    for (const NamedGraph& named : graphs) {
        SCOPED_TRACE(named.name);
        Network probed(test_device(), named.graph), left_alone(test_device(), named.graph);
        std::vector<NetworkProbe> probes;
        for (const Graph::Node& node : named.graph.nodes()) probes.push_back({.node = node.name()});
        probes.push_back({.node = named.graph.nodes().back().name(), .tensor = Tensor::output_gradient});
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

TEST(GraphNetwork, RefusesWhatCannotBeTrained) {
    const auto refused = [](const Graph& graph, const NetworkOptions& options) -> std::string {
        try {
            Network network(test_device(), graph, options);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "nothing was thrown";
    };
    EXPECT_THAT(refused(Graph({3}), {}), HasSubstr("network: graph: got no parameters"));
    Graph bare({3});
    bare.activation(bare.input(), Activation::relu);
    EXPECT_THAT(refused(bare, {}), HasSubstr("network: graph: got no parameters"));

    Graph loose({3});
    const NodeId x = loose.linear(loose.input(), {.units = 4});
    loose.linear(x, {.units = 4, .name = "forgotten"});
    loose.linear(x, {.units = 2});
    EXPECT_THAT(refused(loose, {}), HasSubstr("network: graph: got a node \"forgotten\" that none reads"));

    Graph picture({2, 3});
    const NodeId moved = picture.add(picture.input(), picture.activation(picture.input(), Activation::tanh));
    (void)moved;
    EXPECT_THAT(refused(picture, {}),
                HasSubstr("network: graph: got logits \"add\" of shape {2, 3}, needs {classes}"));

    Graph fine({3});
    fine.linear(fine.input(), {.units = 2});
    EXPECT_THAT(refused(fine, {.hidden = {{8}}}),
                HasSubstr("network: hidden: got 1 layers beside a graph, needs none"));
    EXPECT_EQ(refused(fine, {}), "nothing was thrown");
}

}  // namespace
}  // namespace vknorm::testing
