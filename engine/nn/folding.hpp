// Which norms of a graph can be folded into the layer before them, and the graph without them.
#pragma once

#include <string>
#include <vector>

#include <vknorm/graph.hpp>

namespace vknorm::detail {

struct Folding {
    /// Names of nodes.
    struct Pair {
        std::string layer, norm;
    };

    Graph graph;              ///< layers into which a norm is folded have a bias
    std::vector<Pair> pairs;  ///< what is folded into what
};

/// Folds every norm that has running statistics and reads a layer with weights which nothing else reads.
Folding fold_norms(const Graph& graph);

}  // namespace vknorm::detail
