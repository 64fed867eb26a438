#include "nn/layer.hpp"

#include <functional>
#include <numeric>

#include "ops/arguments.hpp"

namespace vknorm::detail {

uint64_t elements_of(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

std::string text_of(const Shape& shape) {
    std::string text;
    for (const uint32_t size : shape) text += (text.empty() ? "{" : ", ") + std::to_string(size);
    return text + "}";
}

std::span<const float> StoreCopy::operator()(const StoredTensor& tensor) const {
    const bool parameter = tensor.group == TensorGroup::affine;
    const std::span<const float>& copy = parameter                              ? affine
                                         : tensor.group == TensorGroup::running ? running
                                                                                : reported;
    const Range range = layout.range(tensor);
    const uint64_t copied_from = parameter ? layout.range(TensorGroup::affine).first : 0;
    return copy.subspan(range.first - copied_from, range.count);
}

std::unique_ptr<Layer> layer_of(const LayerOptions& options, const std::vector<Shape>& inputs) {
    return std::visit([&](const auto& kind) { return kind.make(inputs); }, options);
}

std::vector<std::unique_ptr<Layer>> layers_of(const Graph& graph) {
    std::vector<std::unique_ptr<Layer>> layers;
    for (const Graph::Node& node : graph.nodes()) {
        std::vector<Shape> shapes;
        for (const NodeId read : node.reads) shapes.push_back(graph.nodes()[read.index].shape);
        layers.push_back(layer_of(node.layer, shapes));
    }
    return layers;
}

StoreLayout layout_of(const std::vector<std::unique_ptr<Layer>>& layers, const NetworkOptions& options) {
    StoreLayout layout;
    for (const auto& layer : layers) layer->take_tensors(layout, options);
    return layout;
}

uint32_t features_of(const std::string& node, const Shape& input) {
    if (input.size() != 1)
        refuse("graph", node, "an input of shape " + text_of(input), "{features}: flatten it first");
    return input.front();
}

void check_map(const std::string& node, const Shape& input) {
    if (input.size() != 3)
        refuse("graph", node, "an input of shape " + text_of(input), "{channels, height, width}");
}

}  // namespace vknorm::detail
