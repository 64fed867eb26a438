// What is done with a trained network: folded norms, precise running statistics.
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using namespace reference;
using ::testing::HasSubstr;

void train(std::mt19937_64& random, Network& network, int steps) {
    for (int i = 0; i < steps; ++i) {
        const Labelled batch = random_batch(random, network.options(), 24);
        (void)network.train_step(batch.inputs, batch.labels);
    }
}

std::vector<std::string> nodes_of(const Graph& graph) {
    std::vector<std::string> names;
    for (const Graph::Node& node : graph.nodes()) names.push_back(node.name());
    return names;
}

// Folded weights are off by 4 roundings or so, and so are the sums of their products.
void check_fold(std::mt19937_64& random, Network& network) {
    train(random, network, 5);
    const Labelled set = random_batch(random, network.options(), 40);
    Network folded = network.fold();
    NetworkReference reference(network.graph(), network.options().batch_norm, tensors_of(network));
    const Values expected = reference.measure(set, {.statistics = Statistics::running}).probabilities;
    expect_near("prediction", network.predict(set.inputs, Statistics::running), expected, 2e-6);
    expect_near("prediction, folded", folded.predict(set.inputs, Statistics::running), expected, 4e-6);
}

TEST(NetworkFold, PredictsTheSame) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : {Norm::batch, Norm::batch_renorm, Norm::ghost, Norm::layer}) {
        SCOPED_TRACE(name(norm));
        const HiddenLayer layer{12, norm, Activation::relu, 4, 12};
        Network network(test_device(), {.inputs = 5, .hidden = {layer, layer}, .classes = 3});
        check_fold(random, network);
    }
    for (const NamedGraph& named : unusual_graphs()) {
        if (named.name.find("norm") == std::string::npos) continue;
        SCOPED_TRACE(named.name);
        Network network(test_device(), named.graph);
        check_fold(random, network);
    }
}

TEST(NetworkFold, LeavesWhatCannotBeFolded) {
    const auto nodes_after = [](const Graph& graph) {
        return nodes_of(Network(test_device(), graph).fold().graph());
    };
    Graph graph({6});
    NodeId x = graph.norm(graph.input(), {.name = "first"});
    x = graph.norm(graph.linear(x, {.units = 4, .bias = false, .name = "a"}), {.name = "of a"});
    x = graph.norm(graph.activation(x, Activation::tanh), {.name = "of tanh"});
    const NodeId b = graph.linear(x, {.units = 4, .name = "b"});
    x = graph.add(graph.norm(b, {.name = "of b"}), b);
    x = graph.norm(graph.linear(x, {.units = 3, .name = "c"}), {.kind = Norm::layer, .name = "of c"});
    graph.linear(x, {.units = 3, .name = "output"});
    EXPECT_EQ(nodes_after(graph), (std::vector<std::string>{"input", "first", "a", "activation", "of tanh",
                                                            "b", "of b", "add", "c", "of c", "output"}));

    Network network(test_device(), graph);
    Network folded = network.fold();
    EXPECT_THAT(folded.tensor_names(), ::testing::Contains("a.bias"));
    EXPECT_EQ(folded.tensor("b.weight"), network.tensor("b.weight"));
    EXPECT_EQ(folded.parameter_count(), network.parameter_count() - 2 * 4 + 4);
}

TEST(NetworkFold, TrainsOnApart) {
    std::mt19937_64 random = random_generator();
    Network network(test_device(), {.inputs = 5, .hidden = {{12}}, .classes = 3});
    train(random, network, 3);
    Network folded = network.fold();
    const auto before = contents_of(network);
    train(random, folded, 3);
    EXPECT_EQ(contents_of(network), before);
}

/// Of each unit of [rows, units].
struct Pooled {
    explicit Pooled(size_t units) : sum(units), squares(units) {}
    void add(const Values& x) {
        for (size_t i = 0; i < x.size(); ++i) {
            sum[i % sum.size()] += x[i];
            squares[i % sum.size()] += x[i] * x[i];
        }
        count += static_cast<double>(x.size() / sum.size());
    }
    Values mean() const {
        Values mean = sum;
        for (double& m : mean) m /= count;
        return mean;
    }
    Values variance() const {  // unbiased
        Values variance;
        for (size_t i = 0; i < sum.size(); ++i)
            variance.push_back((squares[i] - sum[i] * sum[i] / count) / (count - 1));
        return variance;
    }

    Values sum, squares;
    double count = 0;
};

TEST(NetworkStatistics, AreThoseOfAllParts) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : {Norm::batch, Norm::ghost, Norm::batch_renorm}) {
        SCOPED_TRACE(name(norm));
        const HiddenLayer layer{.units = 12, .norm = norm, .activation = Activation::tanh, .ghost_size = 16};
        NetworkOptions options{.inputs = 5, .hidden = {layer, layer}, .classes = 3, .max_batch = 24};
        options.renorm = [](uint64_t) { return RenormLimits{1, 0}; };
        Network network(test_device(), options);
        train(random, network, 4);
        const Labelled set = random_batch(random, options, 61);
        NetworkReference reference(options, tensors_of(network));
        Pooled first(12), second(12);
        size_t begin = 0;
        for (const size_t rows : {21u, 20u, 20u}) {
            const auto inputs = set.inputs.begin() + static_cast<ptrdiff_t>(5 * begin);
            const Labelled part{{inputs, inputs + static_cast<ptrdiff_t>(5 * rows)},
                                std::vector<uint32_t>(rows)};
            const Step step = reference.measure(part, {.renorm = {1, 0}});
            first.add(step.output.at("0.linear"));
            second.add(step.output.at("1.linear"));
            begin += rows;
        }
        const auto before = contents_of(network);
        network.recompute_running_statistics(set.inputs);
        expect_near("precise mean", network.tensor("0.norm.running_mean"), first.mean(), 1e-6);
        expect_near("precise variance", network.tensor("0.norm.running_var"), first.variance(), 1e-6);
        expect_near("precise mean", network.tensor("1.norm.running_mean"), second.mean(), 2e-6);
        expect_near("precise variance", network.tensor("1.norm.running_var"), second.variance(), 2e-6);
        for (const auto& [tensor, values] : contents_of(network)) {
            if (tensor.find("running") == std::string::npos) {
                EXPECT_EQ(values, before.at(tensor)) << tensor;
            }
        }
        // They stay through the next step, as others would.
        network.set_update_running(false);
        const auto precise = contents_of(network);
        network.set_optimizer(Sgd{.learning_rate = 0});
        train(random, network, 1);
        EXPECT_EQ(contents_of(network), precise);
    }
}

TEST(NetworkStatistics, OfFrozenNormsAndOfInfinitiesStay) {
    std::mt19937_64 random = random_generator();
    Network network(test_device(), {.inputs = 5, .hidden = {{12}, {12}}, .classes = 3});
    train(random, network, 2);
    const auto before = contents_of(network);
    std::vector<float> inputs = random_floats(random, 100);
    network.set_frozen({.statistics = {"0.norm"}});
    network.recompute_running_statistics(inputs, 10);
    EXPECT_EQ(network.tensor("0.norm.running_mean"), before.at("0.norm.running_mean"));
    EXPECT_NE(network.tensor("1.norm.running_mean"), before.at("1.norm.running_mean"));

    network.set_frozen({});
    const auto kept = contents_of(network);
    inputs[77] = std::nanf("");
    EXPECT_EQ(refusal([&] { network.recompute_running_statistics(inputs); }),
              "network.recompute_running_statistics: inputs: got values whose statistics in \"0.norm\" are "
              "not finite, needs others");
    EXPECT_EQ(contents_of(network), kept);
    EXPECT_THAT(refusal([&] { network.recompute_running_statistics(std::span(inputs).first(5)); }),
                HasSubstr("inputs: got 5 values, needs at least 2 rows of 5"));
    EXPECT_THAT(refusal([&] { network.recompute_running_statistics(inputs, 33); }),
                HasSubstr("chunk: got 33, needs 0 to max_batch = 32"));
}

}  // namespace
}  // namespace vknorm::testing
