#include "vknorm/graph.hpp"

#include <algorithm>

#include "nn/layer.hpp"
#include "ops/arguments.hpp"

namespace vknorm {

namespace {

std::string& name_of(LayerOptions& layer) {
    return std::visit([](auto& options) -> std::string& { return options.name; }, layer);
}

/// `kind`, or the first of kind_1, kind_2, ... that is free.
std::string free_name(const Graph& graph, const std::string& kind) {
    std::string name = kind;
    for (uint32_t number = 1; graph.find(name); ++number) name = kind + "_" + std::to_string(number);
    return name;
}

}  // namespace

const std::string& Graph::Node::name() const {
    return std::visit([](const auto& options) -> const std::string& { return options.name; }, layer);
}

uint64_t Graph::Node::elements() const {
    return detail::elements_of(shape);
}

Graph::Graph(std::vector<uint32_t> input_shape) {
    append(InputLayer{.shape = std::move(input_shape)}, {});
}

std::optional<NodeId> Graph::find(const std::string& name) const {
    const auto node = std::find_if(nodes_.begin(), nodes_.end(),
                                   [&](const Node& candidate) { return candidate.name() == name; });
    if (node == nodes_.end()) return std::nullopt;
    return NodeId{static_cast<uint32_t>(node - nodes_.begin())};
}

NodeId Graph::append(LayerOptions layer, std::vector<NodeId> reads) {
    std::string& name = name_of(layer);
    if (name.empty())
        name = free_name(*this, std::visit([](const auto& options) { return options.kind_name; }, layer));
    if (find(name)) detail::refuse("graph", name, "a name that is taken", "one of its own");
    std::vector<detail::Shape> shapes;
    for (const NodeId node : reads) {
        if (node.index >= nodes_.size())
            detail::refuse("graph", name, "node " + std::to_string(node.index) + " to read",
                           "one of the " + std::to_string(nodes_.size()) + " that are there");
        shapes.push_back(nodes_[node.index].shape);
    }
    const detail::Shape shape = detail::layer_of(layer, shapes)->output_shape();
    nodes_.push_back({std::move(layer), std::move(reads), shape});
    return {static_cast<uint32_t>(nodes_.size() - 1)};
}

}  // namespace vknorm
