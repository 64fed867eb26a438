// The layers of a network that are measured at every step, and have cards: its hidden layers, or where there
// are many, one of each block.
#pragma once

#include <string>
#include <vector>

#include <vknorm/graph.hpp>

#include "app/experiment/settings.hpp"

namespace lab {

/// A linear layer or a convolution, and the norm that receives what it gives.
struct MeasuredLayer {
    std::string name;               ///< "hidden 2", or in a model for pictures its node's, or its block's
    std::vector<uint32_t> shape{};  ///< of what it gives for one example
    uint32_t kernel = 0;            ///< of a convolution
    std::string linear, norm{};     ///< the nodes; without a norm the second is empty
    vknorm::Norm kind = vknorm::Norm::none;
    std::string activation{};  ///< the node, behind a residual sum or not; empty: there is none
    bool rectified = false;    ///< what normalized() gives goes to a ReLU, and nothing is added before

    uint32_t width() const { return shape.front(); }                               ///< units, or channels
    uint32_t positions() const { return gives_maps() ? shape[1] * shape[2] : 1; }  ///< of a channel
    bool gives_maps() const { return shape.size() > 1; }
    const std::string& normalized() const { return norm.empty() ? linear : norm; }
};

/// In the order of the graph, without the layer that gives the logits, and without shortcuts. Of more than
/// limits::max_layers those that end no residual branch are left out, but for the first.
std::vector<MeasuredLayer> measured_layers(const vknorm::Graph& graph);
/// Those that the twin of these settings has. Maps of a model for pictures have the sizes that they have for
/// pictures of 32 x 32.
std::vector<MeasuredLayer> measured_layers(const Settings& settings, size_t twin);
/// The norm behind a measured layer of a twin.
vknorm::Norm norm_of(const Settings& settings, size_t twin, uint32_t layer);
/// The inspected layer and unit that networks have, if the settings name others.
void keep_inspected_valid(Settings& settings);

}  // namespace lab
