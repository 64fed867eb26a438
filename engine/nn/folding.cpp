#include "nn/folding.hpp"

#include <algorithm>

namespace vknorm::detail {

namespace {

/// The bias switch of a layer with weights; null for another one.
bool* bias_of(LayerOptions& layer) {
    return std::visit(
        [](auto& options) -> bool* {
            if constexpr (requires { options.bias; })
                return &options.bias;
            else
                return nullptr;
        },
        layer);
}

bool can_be_folded(const Graph& graph, const Graph::Node& node) {
    const auto* const norm = std::get_if<NormLayer>(&node.layer);
    if (norm == nullptr || !keeps_running_statistics(norm->kind)) return false;
    const uint32_t read = node.reads[0].index;
    size_t readers = 0;
    for (const Graph::Node& other : graph.nodes())
        readers += static_cast<size_t>(std::count_if(other.reads.begin(), other.reads.end(),
                                                     [read](NodeId id) { return id.index == read; }));
    LayerOptions layer = graph.nodes()[read].layer;
    return readers == 1 && bias_of(layer) != nullptr;
}

}  // namespace

Folding fold_norms(const Graph& graph) {
    const std::vector<Graph::Node>& nodes = graph.nodes();
    std::vector<bool> gone(nodes.size()), takes_norm(nodes.size());
    Folding folding{Graph(nodes.front().shape), {}};
    for (size_t n = 1; n < nodes.size(); ++n) {
        if (!can_be_folded(graph, nodes[n])) continue;
        const uint32_t layer = nodes[n].reads[0].index;
        gone[n] = takes_norm[layer] = true;
        folding.pairs.push_back({nodes[layer].name(), nodes[n].name()});
    }
    std::vector<NodeId> place(nodes.size());  // in the new graph
    for (size_t n = 1; n < nodes.size(); ++n) {
        std::vector<NodeId> reads;
        for (const NodeId read : nodes[n].reads) reads.push_back(place[read.index]);
        LayerOptions layer = nodes[n].layer;
        if (takes_norm[n]) *bias_of(layer) = true;
        place[n] = gone[n] ? reads[0] : folding.graph.append(std::move(layer), std::move(reads));
    }
    return folding;
}

}  // namespace vknorm::detail
