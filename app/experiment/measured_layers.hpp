// The layers of a network that are measured at every step, and have cards: its hidden layers, or where there
// are many, one of each block.
#pragma once

#include <string>
#include <vector>

#include <vknorm/graph.hpp>

#include "app/experiment/settings.hpp"

namespace lab {

/// A linear layer or a convolution, and the norm that receives what it gives, before the activation or after.
struct MeasuredLayer {
    std::string name;               ///< "hidden 2", or in a model for pictures its node's, or its block's
    std::vector<uint32_t> shape{};  ///< of what it gives for one example
    uint32_t kernel = 0;            ///< of a convolution
    /// The nodes; empty: there is none. The activation may be behind a residual sum.
    std::string linear, norm{}, activation{};
    vknorm::Norm kind = vknorm::Norm::none;
    vknorm::NormOrder order = vknorm::NormOrder::before_activation;
    bool rectified = false;  ///< the activation is a ReLU, and nothing is added before

    uint32_t width() const { return shape.front(); }                               ///< units, or channels
    uint32_t positions() const { return gives_maps() ? shape[1] * shape[2] : 1; }  ///< of a channel
    bool gives_maps() const { return shape.size() > 1; }
    bool normalizes_before() const { return !norm.empty() && order == vknorm::NormOrder::before_activation; }
    /// The node that gives what the activation receives.
    const std::string& pre_activation() const { return normalizes_before() ? norm : linear; }
    /// The node that gives what the norm receives.
    const std::string& norm_input() const {
        return order == vknorm::NormOrder::before_activation ? linear : activation;
    }
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
