#include "vknorm/models.hpp"

#include <array>

#include "ops/arguments.hpp"

namespace vknorm {

namespace {

/// Names nodes of one part of a network.
class Names {
  public:
    explicit Names(const std::string& part) : prefix_(part.empty() ? "" : part + ".") {}
    std::string operator()(const std::string& name) const { return prefix_ + name; }

  private:
    std::string prefix_;
};

/// Nothing for Norm::none.
NodeId norm(Graph& graph, NodeId x, NormLayer layer, const std::string& name) {
    if (layer.kind == Norm::none) return x;
    layer.name = name;
    return graph.norm(x, layer);
}

NodeId relu(Graph& graph, NodeId x, const std::string& name) {
    return graph.activation(x, {.function = Activation::relu, .name = name});
}

NodeId convolution3x3(Graph& graph, NodeId x, uint32_t channels, uint32_t stride, bool bias,
                      const std::string& name) {
    return graph.conv2d(
        x, {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = bias, .name = name});
}

/// Whether a block's result has the shape of x.
bool keeps_shape(const Graph& graph, NodeId x, const ResidualBlockOptions& options) {
    return options.stride == 1 && graph.nodes()[x.index].shape.front() == options.channels;
}

NodeId shortcut_convolution(Graph& graph, NodeId x, const ResidualBlockOptions& options, bool bias,
                            const std::string& name) {
    return graph.conv2d(
        x, {.channels = options.channels, .kernel = 1, .stride = options.stride, .bias = bias, .name = name});
}

using Block = NodeId (*)(Graph&, NodeId, const ResidualBlockOptions&);

/// "layer1.0" to "layer3.N".
NodeId stages(Graph& graph, NodeId x, Block block, uint32_t blocks, const NormLayer& norm) {
    constexpr std::array<uint32_t, 3> widths = {16, 32, 64};
    for (size_t stage = 0; stage < widths.size(); ++stage)
        for (uint32_t i = 0; i < blocks; ++i)
            x = block(graph, x,
                      {.channels = widths[stage],
                       .stride = stage > 0 && i == 0 ? 2u : 1u,
                       .norm = norm,
                       .name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i)});
    return x;
}

uint32_t blocks_of_a_stage(const char* model, uint32_t depth) {
    if (depth < 8 || depth % 6 != 2)
        detail::refuse(model, "depth", std::to_string(depth),
                       "6 n + 2, such as 8, 14, 20, 32, 44, 56 or 110");
    return (depth - 2) / 6;
}

/// Of the average over each map.
void classify(Graph& graph, NodeId x, uint32_t classes) {
    x = graph.flatten(graph.adaptive_average_pool2d(x, {.name = "average"}), {.name = "flatten"});
    graph.linear(x, {.units = classes, .name = "linear"});
}

/// conv_bn_relu of each width, with max pooling between them and an average behind: "features.0" and so on.
NodeId features(Graph& graph, const std::vector<uint32_t>& widths, const NormLayer& norm) {
    const Names features("features");
    NodeId x = graph.input();
    uint32_t number = 0;
    for (const uint32_t width : widths) {
        if (number > 0) x = graph.max_pool2d(x, {.name = features(std::to_string(number++))});
        x = conv_bn_relu(graph, x,
                         {.channels = width, .norm = norm, .name = features(std::to_string(number++))});
    }
    return graph.adaptive_average_pool2d(x, {.name = features(std::to_string(number))});
}

}  // namespace

NodeId conv_bn_relu(Graph& graph, NodeId x, const ConvBnReluOptions& options) {
    const Names names(options.name);
    x = graph.conv2d(x, {.channels = options.channels,
                         .kernel = options.kernel,
                         .stride = options.stride,
                         .padding = options.padding,
                         .bias = options.norm.kind == Norm::none,
                         .name = names("conv")});
    return relu(graph, norm(graph, x, options.norm, names("bn")), names("relu"));
}

NodeId residual_block(Graph& graph, NodeId x, const ResidualBlockOptions& options) {
    const Names names(options.name);
    const bool bias = options.norm.kind == Norm::none;
    NodeId branch = convolution3x3(graph, x, options.channels, options.stride, bias, names("conv1"));
    branch = relu(graph, norm(graph, branch, options.norm, names("bn1")), names("relu1"));
    branch = convolution3x3(graph, branch, options.channels, 1, bias, names("conv2"));
    branch = norm(graph, branch, options.norm, names("bn2"));
    NodeId shortcut = x;
    if (!keeps_shape(graph, x, options)) {
        shortcut = shortcut_convolution(graph, x, options, bias, names("shortcut.0"));
        shortcut = norm(graph, shortcut, options.norm, names("shortcut.1"));
    }
    return relu(graph, graph.add(branch, shortcut, {.name = names("add")}), names("relu2"));
}

NodeId preactivation_block(Graph& graph, NodeId x, const ResidualBlockOptions& options) {
    const Names names(options.name);
    const bool bias = options.norm.kind == Norm::none;
    const NodeId activated = relu(graph, norm(graph, x, options.norm, names("bn1")), names("relu1"));
    NodeId branch = convolution3x3(graph, activated, options.channels, options.stride, bias, names("conv1"));
    branch = relu(graph, norm(graph, branch, options.norm, names("bn2")), names("relu2"));
    branch = convolution3x3(graph, branch, options.channels, 1, bias, names("conv2"));
    const NodeId shortcut = keeps_shape(graph, x, options)
                                ? x
                                : shortcut_convolution(graph, activated, options, bias, names("shortcut.0"));
    return graph.add(branch, shortcut, {.name = names("add")});
}

Graph mlp(const ModelOptions& options, const std::vector<uint32_t>& hidden) {
    Graph graph(options.shape);
    NodeId x = graph.input();
    if (options.shape.size() > 1) x = graph.flatten(x);
    const bool normed = options.norm.kind != Norm::none;
    uint32_t number = 0;
    const auto name = [&] { return "layers." + std::to_string(number++); };
    for (const uint32_t units : hidden) {
        x = graph.linear(x, {.units = units, .name = name()});
        if (normed) x = norm(graph, x, options.norm, name());
        x = relu(graph, x, name());
    }
    graph.linear(x, {.units = options.classes, .name = name()});
    return graph;
}

Graph image_classifier(const ModelOptions& options, float dropout) {
    Graph graph(options.shape);
    const Names classifier("classifier");
    NodeId x = graph.flatten(features(graph, {64, 128, 256, 512}, options.norm), {.name = classifier("0")});
    x = graph.linear(x, {.units = 256, .name = classifier("1")});
    x = relu(graph, norm(graph, x, options.norm, classifier("2")), classifier("3"));
    x = graph.dropout(x, {.p = dropout, .name = classifier("4")});
    graph.linear(x, {.units = options.classes, .name = classifier("5")});
    return graph;
}

Graph small_image_classifier(const ModelOptions& options) {
    Graph graph(options.shape);
    const Names classifier("classifier");
    const NodeId x = graph.flatten(features(graph, {16, 32, 64}, options.norm), {.name = classifier("0")});
    graph.linear(x, {.units = options.classes, .name = classifier("1")});
    return graph;
}

Graph resnet_cifar(uint32_t depth, const ModelOptions& options) {
    const uint32_t blocks = blocks_of_a_stage("resnet_cifar", depth);
    Graph graph(options.shape);
    NodeId x = convolution3x3(graph, graph.input(), 16, 1, options.norm.kind == Norm::none, "conv1");
    x = relu(graph, norm(graph, x, options.norm, "bn1"), "relu1");
    classify(graph, stages(graph, x, residual_block, blocks, options.norm), options.classes);
    return graph;
}

Graph preactivation_resnet_cifar(uint32_t depth, const ModelOptions& options) {
    const uint32_t blocks = blocks_of_a_stage("preactivation_resnet_cifar", depth);
    Graph graph(options.shape);
    NodeId x = convolution3x3(graph, graph.input(), 16, 1, options.norm.kind == Norm::none, "conv1");
    x = stages(graph, x, preactivation_block, blocks, options.norm);
    classify(graph, relu(graph, norm(graph, x, options.norm, "bn"), "relu"), options.classes);
    return graph;
}

}  // namespace vknorm
