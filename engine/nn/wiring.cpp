#include "nn/wiring.hpp"

#include <algorithm>

namespace vknorm::detail {

Wiring::Wiring(const std::vector<WiredNode>& nodes)
    : readers(nodes.size()),
      output_home(nodes.size()),
      differentiated(nodes.size()),
      gradient_home(nodes.size()),
      routes(nodes.size()) {
    for (size_t n = 0; n < nodes.size(); ++n) {
        const WiredNode& node = nodes[n];
        output_home[n] = node.view ? output_home[node.reads.front()] : n;
        gradient_home[n] = n;
        differentiated[n] = node.trained || std::any_of(node.reads.begin(), node.reads.end(),
                                                        [&](size_t read) { return differentiated[read]; });
        for (const size_t read : node.reads) readers[read].push_back(n);
    }
    // Gradients flow from the last node to the first.
    std::vector<bool> written(nodes.size());
    for (size_t n = nodes.size(); n-- > 0;) {
        bool given_away = !nodes[n].in_place;
        for (const size_t read : nodes[n].reads) {
            GradientRoute route = GradientRoute::none;
            if (differentiated[read] && !given_away && readers[read].size() == 1) {
                route = GradientRoute::shared;
                gradient_home[read] = gradient_home[n];
                given_away = true;
            } else if (differentiated[read]) {
                route = written[read] ? GradientRoute::added : GradientRoute::written;
            }
            written[read] = true;
            routes[n].push_back(route);
        }
    }
}

}  // namespace vknorm::detail
