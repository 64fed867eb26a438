// Which nodes of a graph share memory, and how gradients flow back through it: pure logic, no Vulkan.
#pragma once

#include <cstddef>
#include <vector>

namespace vknorm::detail {

/// What is known of a node.
struct WiredNode {
    std::vector<size_t> reads{};  ///< numbers of nodes before it
    bool trained = false;         ///< has parameters
    bool view = false;            ///< its output is the memory of what it reads
    bool in_place = false;        ///< the gradient of an input may take the place of that of its output
};

/// Where a node leaves the gradient of an input.
enum class GradientRoute {
    none,     ///< not wanted
    shared,   ///< in the place of its own, which is the input's, too
    written,  ///< in the input's: it is the first of the input's readers to do so
    added,    ///< elsewhere, from where it is added to the input's
};

struct Wiring {
    explicit Wiring(const std::vector<WiredNode>& nodes);

    // For each node:
    std::vector<std::vector<size_t>> readers;  ///< one for each time that it is read
    std::vector<size_t> output_home;  ///< whose memory its output is in: its own, or that of a node before
    /// Whether something at or before it is trained, so that its gradient is wanted.
    std::vector<bool> differentiated;
    std::vector<size_t> gradient_home;               ///< as output_home, of gradients: a node behind it
    std::vector<std::vector<GradientRoute>> routes;  ///< for each node that it reads
};

}  // namespace vknorm::detail
