// Graphs that are no perceptrons, small enough for finite differences.
#pragma once

#include <string>
#include <vector>

#include <vknorm/graph.hpp>

namespace vknorm::testing {

/// Blocks of norm -> ReLU -> Linear, twice in each, around which a shortcut goes: K. He, X. Zhang, S. Ren, J.
/// Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016 (arXiv:1603.05027), figure 1b.
inline Graph residual_perceptron(uint32_t inputs, uint32_t units, uint32_t classes, const NormLayer& norm) {
    Graph graph({inputs});
    NodeId x = graph.linear(graph.input(), {.units = units, .name = "stem"});
    for (int block = 0; block < 2; ++block) {
        NodeId branch = x;
        for (int layer = 0; layer < 2; ++layer) {
            branch = graph.activation(graph.norm(branch, norm), Activation::relu);
            branch = graph.linear(branch, {.units = units, .bias = false});
        }
        x = graph.add(x, branch);
    }
    x = graph.activation(graph.norm(x, norm), Activation::relu);
    graph.linear(x, {.units = classes, .name = "output"});
    return graph;
}

struct NamedGraph {
    std::string name;
    Graph graph;
};

/// Of 6 values in and 3 classes.
inline std::vector<NamedGraph> unusual_graphs() {
    std::vector<NamedGraph> graphs;
    const auto begin = [&](const char* name) -> Graph& {
        return graphs.emplace_back(NamedGraph{name, Graph({6})}).graph;
    };
    {
        Graph& graph = begin("one Linear");
        graph.linear(graph.input(), {.units = 3});
    }
    {
        Graph& graph = begin("pre-activation order, no bias");
        NodeId x = graph.activation(graph.norm(graph.input()), Activation::relu);
        x = graph.linear(x, {.units = 9, .bias = false});
        x = graph.activation(graph.norm(x, {.kind = Norm::layer}), Activation::tanh);
        graph.linear(x, {.units = 3, .bias = false});
    }
    for (const Norm norm : {Norm::batch, Norm::group})
        graphs.push_back({norm == Norm::batch ? "residual, batch norm" : "residual, group norm",
                          residual_perceptron(6, 8, 3, {.kind = norm, .groups = 2})});
    {
        Graph& graph = begin("one output, four readers of three kinds");
        const NodeId x = graph.linear(graph.input(), {.units = 8});
        const NodeId smooth = graph.activation(x, Activation::sigmoid);
        const NodeId mapped = graph.linear(x, {.units = 8});
        const NodeId normed = graph.norm(x, {.kind = Norm::rms});
        const NodeId sum = graph.add(graph.add(smooth, mapped), graph.add(x, normed));
        graph.linear(sum, {.units = 3});
    }
    {
        Graph& graph = begin("two Linear layers read one output");
        const NodeId x = graph.linear(graph.input(), {.units = 7});
        const NodeId a = graph.linear(x, {.units = 5}), b = graph.linear(x, {.units = 5});
        graph.linear(graph.activation(graph.add(a, b), Activation::tanh), {.units = 3});
    }
    {
        Graph& graph = begin("twice the same");
        const NodeId x = graph.linear(graph.input(), {.units = 8});
        graph.linear(graph.add(x, x), {.units = 3});
    }
    {
        Graph& graph = begin("the input's shortcut, a sum as logits");
        const NodeId bounded = graph.activation(graph.input(), Activation::sigmoid);
        const NodeId sum = graph.add(graph.input(), graph.linear(bounded, {.units = 6}));
        graph.add(graph.linear(sum, {.units = 3}), graph.linear(bounded, {.units = 3, .bias = false}));
    }
    {
        Graph& graph = begin("a norm as logits");
        graph.norm(graph.linear(graph.input(), {.units = 3}));
    }
    {
        Graph& graph = begin("a norm that a ReLU and a sum read");
        const NodeId x = graph.norm(graph.linear(graph.input(), {.units = 8}));
        graph.linear(graph.add(graph.activation(x, Activation::relu), x), {.units = 3});
    }
    {
        Graph& graph = begin("a ReLU behind a norm with two readers");
        NodeId x = graph.norm(graph.linear(graph.input(), {.units = 8}));
        x = graph.activation(x, Activation::relu);
        graph.linear(graph.add(graph.linear(x, {.units = 8}), x), {.units = 3});
    }
    {
        Graph graph({2, 3});
        NodeId x = graph.flatten(graph.activation(graph.input(), Activation::tanh));
        x = graph.linear(x, {.units = 8});
        // Flat already: another name for the same.
        x = graph.add(graph.flatten(x), graph.linear(x, {.units = 8}));
        graph.flatten(graph.linear(x, {.units = 3}));
        graphs.push_back({"flattened", std::move(graph)});
    }
    {
        Graph graph({1, 2, 3});
        NodeId x = graph.conv2d(graph.input(), {.channels = 3, .kernel = 2, .padding = 1});
        x = graph.activation(x, Activation::tanh);
        const NodeId shortcut = graph.conv2d(x, {.channels = 2, .kernel = 1, .stride = 2, .bias = false});
        x = graph.conv2d(x, {.channels = 2, .stride = 2, .padding = 1});
        x = graph.activation(graph.norm(graph.flatten(graph.add(x, shortcut))), Activation::relu);
        graph.linear(x, {.units = 3});
        graphs.push_back({"convolutions", std::move(graph)});
    }
    return graphs;
}

/// Two norms on maps, and pooling and dropout behind them.
inline Graph pooled_maps(const NormLayer& norm) {
    Graph graph({4, 4, 5});
    NodeId x = graph.norm(graph.input(), norm);
    x = graph.max_pool2d(graph.activation(x, Activation::relu), {.kernel = 2, .stride = 1, .padding = 1});
    x = graph.average_pool2d(graph.norm(x, norm), {.kernel = 3, .stride = 2, .padding = 1});
    x = graph.dropout(graph.flatten(x), {.p = 0.25f});
    graph.linear(x, {.units = 3, .name = "output"});
    return graph;
}

/// Sums of a norm and a shortcut that a ReLU follows: the shortcut is what others read, too, or a norm, or
/// comes first.
inline Graph residual_maps() {
    Graph graph({5, 4, 4});
    const auto relu = [&](NodeId x) { return graph.activation(x, Activation::relu); };
    const auto normed = [&](NodeId x, uint32_t kernel) {
        return graph.norm(
            graph.conv2d(x, {.channels = 3, .kernel = kernel, .padding = kernel / 2, .bias = false}));
    };
    NodeId x = relu(normed(graph.input(), 3));
    x = relu(graph.add(normed(x, 3), x));
    x = relu(graph.add(normed(x, 3), normed(x, 1)));
    x = relu(graph.add(graph.conv2d(x, {.channels = 3, .kernel = 1}), normed(x, 3)));
    graph.linear(graph.flatten(x), {.units = 3});
    return graph;
}

/// Of 80 values in, as maps, and 3 classes.
inline std::vector<NamedGraph> map_graphs() {
    std::vector<NamedGraph> graphs;
    for (const auto& [name, norm] : {std::pair("batch norm of maps", Norm::batch),
                                     {"layer norm of maps", Norm::layer},
                                     {"group norm of maps", Norm::group},
                                     {"RMS norm of maps", Norm::rms},
                                     {"ghosts of maps", Norm::ghost},
                                     {"instance norm of maps", Norm::instance}})
        graphs.push_back({name, pooled_maps({.kind = norm, .groups = 2, .ghost_size = 5})});
    Graph graph({5, 4, 4});
    const NodeId x = graph.norm(graph.input());
    const NodeId largest = graph.max_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1});
    const NodeId mean =
        graph.average_pool2d(x, {.kernel = 3, .stride = 1, .padding = 1, .count_include_pad = false});
    const NodeId sum = graph.add(graph.dropout(largest), graph.add(x, mean));
    const NodeId bins = graph.adaptive_average_pool2d(sum, {.output_height = 3, .output_width = 2});
    graph.linear(graph.flatten(bins), {.units = 3});
    graphs.push_back({"one map, three readers", std::move(graph)});
    graphs.push_back({"residual maps", residual_maps()});
    Graph moved({4, 4, 5});
    const NodeId pictures = moved.augment(
        moved.input(), {.padding = 1, .flip = true, .mean = {0.5f, 0, -1, 2}, .deviation = {2, 1, 0.5f, 3}});
    moved.linear(moved.flatten(moved.norm(moved.conv2d(pictures, {.channels = 3}))), {.units = 3});
    graphs.push_back({"augmented", std::move(moved)});
    return graphs;
}

}  // namespace vknorm::testing
