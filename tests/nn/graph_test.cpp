// How graphs are built, and what is refused; which nodes share memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "nn/wiring.hpp"

namespace vknorm {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> names_of(const Graph& graph) {
    std::vector<std::string> names;
    for (const Graph::Node& node : graph.nodes()) names.push_back(node.name());
    return names;
}

/// The message of the std::invalid_argument that `call` throws.
template <class Call>
std::string refused_by(Call call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Graph, NodesAreNamedAfterTheirKindUnlessTheyAreNamed) {
    Graph graph({4});
    const NodeId a = graph.linear(graph.input(), {.units = 4}), b = graph.linear(a, {.units = 4});
    const NodeId named = graph.norm(b, {.name = "linear_2"});
    const NodeId c = graph.linear(named, {.units = 4});
    graph.flatten(graph.add(graph.activation(a, Activation::relu), c));
    EXPECT_EQ(names_of(graph), (std::vector<std::string>{"input", "linear", "linear_1", "linear_2",
                                                         "linear_3", "activation", "add", "flatten"}));
    EXPECT_EQ(graph.find("linear_3")->index, c.index);
    EXPECT_FALSE(graph.find("norm"));
}

TEST(Graph, ShapesFollow) {
    Graph graph({3, 5, 2});
    NodeId x = graph.activation(graph.input(), {.function = Activation::tanh, .name = "bounded"});
    EXPECT_EQ(graph.nodes()[x.index].shape, (std::vector<uint32_t>{3, 5, 2}));
    EXPECT_EQ(graph.nodes()[x.index].elements(), 30u);
    x = graph.flatten(x);
    EXPECT_EQ(graph.nodes()[x.index].shape, std::vector<uint32_t>{30});
    x = graph.linear(x, {.units = 7});
    x = graph.norm(x);
    EXPECT_EQ(graph.nodes()[x.index].shape, std::vector<uint32_t>{7});
    x = graph.conv2d(graph.input(), {.channels = 6, .stride = 2, .padding = 1});
    EXPECT_EQ(graph.nodes()[x.index].shape, (std::vector<uint32_t>{6, 3, 1}));
}

TEST(Graph, RefusesWhatNoLayerTakesAndStaysAsItWas) {
    Graph graph({3, 4});
    const NodeId flat = graph.flatten(graph.input()), eight = graph.linear(flat, {.units = 8});
    const auto refused = [&](auto append) { return refused_by([&] { append(); }); };
    EXPECT_THAT(refused([&] { graph.linear(graph.input(), {.units = 8, .name = "first"}); }),
                HasSubstr("graph: first: got an input of shape {3, 4}, needs {features}: flatten it first"));
    EXPECT_THAT(
        refused([&] { graph.norm(eight, {.kind = Norm::instance}); }),
        HasSubstr("graph: norm.kind: got instance for an input of shape {8}, needs more than one value"));
    EXPECT_THAT(refused([&] { graph.max_pool2d(flat); }),
                HasSubstr("graph: max_pool2d: got an input of shape {12}, needs {channels, height, width}"));
    EXPECT_THAT(refused([&] { graph.dropout(eight, {.p = 1}); }),
                HasSubstr("graph: dropout.p: got 1.000000, needs at least 0 and below 1"));
    EXPECT_THAT(refused([&] { graph.linear(flat, {.name = "none"}); }),
                HasSubstr("graph: none.units: got 0"));
    EXPECT_THAT(refused([&] { graph.norm(eight, {.kind = Norm::none}); }), HasSubstr("graph: norm.kind"));
    EXPECT_THAT(refused([&] { graph.norm(eight, {.kind = Norm::group, .groups = 3}); }),
                HasSubstr("graph: norm.groups: got 3, needs a divisor of its 8 units"));
    EXPECT_THAT(refused([&] { graph.norm(eight, {.kind = Norm::ghost, .ghost_size = 1}); }),
                HasSubstr("graph: norm.ghost_size: got 1"));
    EXPECT_THAT(refused([&] { graph.add(flat, eight, {.name = "sum"}); }),
                HasSubstr("graph: sum: got shapes {12} and {8}, needs equal ones"));
    EXPECT_THAT(refused([&] { graph.flatten({9}); }),
                HasSubstr("graph: flatten_1: got node 9 to read, needs one of the 3 that are there"));
    EXPECT_THAT(refused([&] { graph.linear(flat, {.units = 2, .name = "linear"}); }),
                HasSubstr("graph: linear: got a name that is taken"));
    EXPECT_THAT(refused([&] { graph.conv2d(flat, {.channels = 2}); }),
                HasSubstr("graph: conv2d: got an input of shape {12}, needs {channels, height, width}"));
    Graph picture({2, 5, 3});
    const auto refused_conv2d = [&](const Conv2dLayer& layer) {
        return refused([&] { picture.conv2d(picture.input(), layer); });
    };
    EXPECT_THAT(refused_conv2d({}), HasSubstr("graph: conv2d.channels: got 0"));
    EXPECT_THAT(refused_conv2d({.channels = 1, .kernel = 0}), HasSubstr("graph: conv2d.kernel: got 0"));
    EXPECT_THAT(refused_conv2d({.channels = 1, .stride = 0}), HasSubstr("graph: conv2d.stride: got 0"));
    EXPECT_THAT(refused_conv2d({.channels = 1, .dilation = 0}), HasSubstr("graph: conv2d.dilation: got 0"));
    EXPECT_THAT(
        refused_conv2d({.channels = 1, .kernel = 4}),
        HasSubstr("graph: conv2d.kernel: got 4, needs one that fits into an input of shape {2, 5, 3}"));
    EXPECT_THAT(refused_conv2d({.channels = 1, .kernel = 1000, .padding = 1000}),
                HasSubstr("graph: conv2d.kernel: got 1000, needs at most 50000 weights for an output"));
    EXPECT_EQ(names_of(graph), (std::vector<std::string>{"input", "flatten", "linear"}));
    for (const std::vector<uint32_t>& shape :
         {std::vector<uint32_t>{}, {0}, {3, 0}, {1u << 31, 2}, {1u << 31, 1u << 31, 4}})
        EXPECT_THAT(refused_by([&] { Graph other(shape); }), HasSubstr("graph: input"));
}

TEST(Graph, ShapesOfMapsFollow) {
    Graph graph({3, 9, 8});
    const auto shape = [&](NodeId x) { return graph.nodes()[x.index].shape; };
    using Shape = std::vector<uint32_t>;
    NodeId x = graph.max_pool2d(graph.norm(graph.input()));
    EXPECT_EQ(shape(x), (Shape{3, 4, 4}));
    EXPECT_EQ(shape(graph.max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1})), (Shape{3, 2, 2}));
    EXPECT_EQ(shape(graph.max_pool2d(x, {.kernel = 2, .stride = 1, .dilation = 2})), (Shape{3, 2, 2}));
    EXPECT_EQ(shape(graph.average_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1})), (Shape{3, 4, 4}));
    EXPECT_EQ(shape(graph.adaptive_average_pool2d(x, {.output_height = 5, .output_width = 3})),
              (Shape{3, 5, 3}));
    EXPECT_EQ(shape(graph.dropout(graph.adaptive_average_pool2d(x))), (Shape{3, 1, 1}));
    EXPECT_THAT(refused_by([&] { graph.average_pool2d(x, {.kernel = 5}); }),
                HasSubstr("graph: average_pool2d_1: height: got 4, needs room for a window of 5"));
    EXPECT_THAT(refused_by([&] { graph.max_pool2d(x, {.kernel = 0, .name = "pool"}); }),
                HasSubstr("graph: pool: kernel: got 0, needs at least 1"));
    EXPECT_THAT(refused_by([&] { graph.norm(x, {.kind = Norm::group, .groups = 2}); }),
                HasSubstr("graph: norm_1.groups: got 2, needs a divisor of its 3 channels"));
    EXPECT_THAT(refused_by([&] {
                    Graph deep({2, 2, 2, 2, 2});
                    deep.norm(deep.input());
                }),
                HasSubstr("graph: norm: got an input of shape {2, 2, 2, 2, 2}, needs {channels, ...}"));
}

TEST(Graph, OptionsDescribeAPerceptron) {
    const Graph graph = perceptron({.inputs = 5, .hidden = {{8, Norm::none}, {7, Norm::rms}}, .classes = 3});
    EXPECT_EQ(names_of(graph), (std::vector<std::string>{"input", "0.linear", "0.activation", "1.linear",
                                                         "1.norm", "1.activation", "output"}));
    EXPECT_EQ(graph.nodes().back().shape, std::vector<uint32_t>{3});
    HiddenLayer other{.units = 8, .order = NormOrder::after_activation};
    EXPECT_EQ(names_of(perceptron({.hidden = {other}})),
              (std::vector<std::string>{"input", "0.linear", "0.activation", "0.norm", "output"}));
    other.norm = Norm::none;
    EXPECT_EQ(names_of(perceptron({.hidden = {other}})),
              (std::vector<std::string>{"input", "0.linear", "0.activation", "output"}));
}

using detail::GradientRoute;
using detail::WiredNode;
using detail::Wiring;
using Routes = std::vector<GradientRoute>;

TEST(Wiring, ALayerHasOneGradient) {
    // input, linear, norm, activation, linear
    const std::vector<WiredNode> nodes = {{},
                                          {.reads = {0}, .trained = true},
                                          {.reads = {1}, .trained = true, .in_place = true},
                                          {.reads = {2}, .in_place = true},
                                          {.reads = {3}, .trained = true}};
    const Wiring wiring(nodes);
    EXPECT_EQ(wiring.gradient_home, (std::vector<size_t>{0, 3, 3, 3, 4}));
    EXPECT_EQ(wiring.differentiated, (std::vector<bool>{false, true, true, true, true}));
    EXPECT_EQ(wiring.routes[1], Routes{GradientRoute::none});
    EXPECT_EQ(wiring.routes[2], Routes{GradientRoute::shared});
    EXPECT_EQ(wiring.routes[4], Routes{GradientRoute::written});
}

TEST(Wiring, TheFirstReaderWritesAGradientTheOthersAdd) {
    // input, linear x, activation of x, linear of x, their sum
    const std::vector<WiredNode> nodes = {{},
                                          {.reads = {0}, .trained = true},
                                          {.reads = {1}, .in_place = true},
                                          {.reads = {1}, .trained = true},
                                          {.reads = {2, 3}, .in_place = true}};
    const Wiring wiring(nodes);
    EXPECT_EQ(wiring.routes[4], (Routes{GradientRoute::shared, GradientRoute::written}));
    EXPECT_EQ(wiring.routes[3], Routes{GradientRoute::written});
    EXPECT_EQ(wiring.routes[2], Routes{GradientRoute::added});
    EXPECT_EQ(wiring.gradient_home, (std::vector<size_t>{0, 1, 4, 3, 4}));
    EXPECT_EQ(wiring.readers[1], (std::vector<size_t>{2, 3}));
}

TEST(Wiring, WhatIsReadTwiceByOneNodeIsAddedUp) {
    const Wiring wiring({{}, {.reads = {0}, .trained = true}, {.reads = {1, 1}, .in_place = true}});
    EXPECT_EQ(wiring.routes[2], (Routes{GradientRoute::written, GradientRoute::added}));
    EXPECT_EQ(wiring.gradient_home, (std::vector<size_t>{0, 1, 2}));
}

TEST(Wiring, NothingFlowsToWhatIsNotTrained) {
    // input, activation of it, linear of that, sum of input and linear
    const Wiring wiring({{},
                         {.reads = {0}, .in_place = true},
                         {.reads = {1}, .trained = true},
                         {.reads = {0, 2}, .in_place = true}});
    EXPECT_EQ(wiring.differentiated, (std::vector<bool>{false, false, true, true}));
    EXPECT_EQ(wiring.routes[3], (Routes{GradientRoute::none, GradientRoute::shared}));
    EXPECT_EQ(wiring.routes[2], Routes{GradientRoute::none});
}

TEST(Wiring, ViewsHaveTheMemoryOfWhatTheyShow) {
    const Wiring wiring({{}, {.reads = {0}, .view = true}, {.reads = {1}, .view = true}, {.reads = {2}}});
    EXPECT_EQ(wiring.output_home, (std::vector<size_t>{0, 0, 0, 3}));
}

}  // namespace
}  // namespace vknorm
