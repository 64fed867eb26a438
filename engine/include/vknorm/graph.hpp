// A network as a graph of layers: what a Network is built from.
//
//     vknorm::Graph graph({784});
//     vknorm::NodeId x = graph.linear(graph.input(), {.units = 128, .bias = false});
//     x = graph.activation(graph.norm(x), vknorm::Activation::relu);
//     graph.linear(x, {.units = 10, .name = "output"});
//
// A node is a layer, the nodes that it reads, and a name. Nodes are appended, and read only nodes that are
// there already, so their order is one in which they can be computed. The last node gives the logits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <vknorm/activation.hpp>

namespace vknorm {

class Graph;

namespace detail {
class Layer;
using Shape = std::vector<uint32_t>;
struct Folding;
Folding fold_norms(const Graph& graph);
}  // namespace detail

/// How a layer normalizes [rows, channels, positions...]; see the header of each. What is flat has channels,
/// also called units, of one position each.
enum class Norm {
    none,
    batch,         ///< BatchNorm: each channel over rows and positions
    layer,         ///< LayerNorm: each row over all it has; gamma and beta of each element, as torch has them
    group,         ///< GroupNorm: each row over groups of its channels; one group is layer normalization with
                   ///< parameters of each channel
    rms,           ///< RmsNorm: each row by its root mean square; gamma of each element, no beta
    batch_renorm,  ///< BatchRenorm: batch, corrected towards the running statistics
    ghost,         ///< GhostBatchNorm: batch, over parts of the rows
    instance,      ///< InstanceNorm without running statistics: each channel of each row over its positions
};

/// Whether a norm depends on the batch, so that it keeps running statistics for evaluation. The others treat
/// every row by its own statistics, in training and in evaluation.
constexpr bool keeps_running_statistics(Norm norm) {
    return norm == Norm::batch || norm == Norm::batch_renorm || norm == Norm::ghost;
}

// The layers. The name of each is the node's; without one it is named after its kind: "linear", "linear_1",
// and so on. Shapes are those of one example. make() is the engine's: what does the work in a network, for
// inputs of the given shapes.

/// The examples that the graph is given; every Graph begins with one.
struct InputLayer {
    static constexpr const char* kind_name = "input";
    std::vector<uint32_t> shape{};
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {features} to {units}: y = x * weight^T + bias, initialized as torch.nn.Linear. Tensors: "weight" [units,
/// features], "bias" [units].
struct LinearLayer {
    static constexpr const char* kind_name = "linear";
    uint32_t units = 0;
    bool bias = true;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {C, H, W} to {channels, H', W'}, as torch.nn.Conv2d, its initialization included: see Conv2d for H' and
/// W'. Tensors: "weight" [channels, C, kernel, kernel], "bias" [channels].
struct Conv2dLayer {
    static constexpr const char* kind_name = "conv2d";
    uint32_t channels = 0;
    uint32_t kernel = 3;
    uint32_t stride = 1;
    uint32_t padding = 0;
    uint32_t dilation = 1;
    bool bias = true;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {channels} or {channels, ...}, of 4 dimensions at most, to the same. Tensors, where the kind has them:
/// "weight" (gamma) and "bias" (beta), [channels] or, of Norm::layer and Norm::rms, the shape of an example;
/// "running_mean" and "running_var", [channels]; and "num_batches_tracked", one value.
struct NormLayer {
    static constexpr const char* kind_name = "norm";
    Norm kind = Norm::batch;   ///< not none
    uint32_t groups = 8;       ///< of Norm::group, a divisor of channels
    uint32_t ghost_size = 16;  ///< of Norm::ghost: rows normalized together, at least 2
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// Any shape to the same.
struct ActivationLayer {
    static constexpr const char* kind_name = "activation";
    Activation function = Activation::relu;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {channels, height, width} to {channels, the window's places downwards, and across}: of each window the
/// largest value, see MaxPool2d.
struct MaxPool2dLayer {
    static constexpr const char* kind_name = "max_pool2d";
    uint32_t kernel = 2;   ///< height and width of a window
    uint32_t stride = 0;   ///< from one window to the next; 0: as kernel
    uint32_t padding = 0;  ///< on each side, at most half of kernel
    uint32_t dilation = 1;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// The same with the mean of each window, see AveragePool2d.
struct AveragePool2dLayer {
    static constexpr const char* kind_name = "average_pool2d";
    uint32_t kernel = 2;
    uint32_t stride = 0;   ///< 0: as kernel
    uint32_t padding = 0;  ///< on each side, at most half of kernel
    bool count_include_pad = true;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {channels, height, width} to {channels, output_height, output_width}: means of bins, see
/// AdaptiveAveragePool2d. By default of a whole map.
struct AdaptiveAveragePool2dLayer {
    static constexpr const char* kind_name = "adaptive_average_pool2d";
    uint32_t output_height = 1, output_width = 1;
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// Any shape to the same: in training steps, each element becomes 0 with probability p, or else 1 / (1 - p)
/// times itself; in evaluations nothing changes. Which ones follows from the network's seed, the number of
/// the step, the node's name and the element's place in the batch, on every device alike: see Dropout.
struct DropoutLayer {
    static constexpr const char* kind_name = "dropout";
    float p = 0.5f;  ///< at least 0, below 1
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// {channels, height, width} to the same: what the graph is given, or a node of it that is not trained. In
/// training steps each picture is a crop of itself with `padding` zeros around it, and mirrored or not; and
/// always each channel is (x - mean) / deviation. What becomes of it follows from the network's seed, the
/// number of the step, the node's name and the row in the batch, on every device alike: see Augment.
struct AugmentLayer {
    static constexpr const char* kind_name = "augment";
    uint32_t padding = 0;
    bool flip = false;
    std::vector<float> mean{}, deviation{};  ///< of every channel, 4 at most; empty: 0 and 1
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// The sum of two nodes of equal shapes, such as a branch and its shortcut.
struct AddLayer {
    static constexpr const char* kind_name = "add";
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

/// Any shape to {the product of its sizes}.
struct FlattenLayer {
    static constexpr const char* kind_name = "flatten";
    std::string name{};

    std::unique_ptr<detail::Layer> make(const std::vector<detail::Shape>& inputs) const;
};

using LayerOptions = std::variant<InputLayer, LinearLayer, Conv2dLayer, NormLayer, ActivationLayer,
                                  MaxPool2dLayer, AveragePool2dLayer, AdaptiveAveragePool2dLayer,
                                  DropoutLayer, AugmentLayer, AddLayer, FlattenLayer>;

/// Names a node of the graph that gave it out.
struct NodeId {
    uint32_t index = 0;  ///< among Graph::nodes()
};

class Graph {
  public:
    struct Node {
        LayerOptions layer;
        std::vector<NodeId> reads;
        std::vector<uint32_t> shape;  ///< of its output, one example

        const std::string& name() const;
        uint64_t elements() const;  ///< of its output, one example
    };

    /// `input_shape` is that of one example: {features}, or {channels, height, width}. Throws
    /// std::invalid_argument for an empty one, or sizes of 0.
    explicit Graph(std::vector<uint32_t> input_shape);

    NodeId input() const { return {0}; }

    // Each appends a node that reads x. All throw std::invalid_argument, naming the node, for a shape that
    // the layer does not take, options out of range, a node that is not there, or a name that is taken;
    // the graph is then as it was.
    NodeId linear(NodeId x, LinearLayer layer) { return append(std::move(layer), {x}); }
    NodeId conv2d(NodeId x, Conv2dLayer layer) { return append(std::move(layer), {x}); }
    NodeId norm(NodeId x, NormLayer layer = {}) { return append(std::move(layer), {x}); }
    NodeId activation(NodeId x, ActivationLayer layer) { return append(std::move(layer), {x}); }
    NodeId activation(NodeId x, Activation function) { return activation(x, ActivationLayer{function}); }
    NodeId max_pool2d(NodeId x, MaxPool2dLayer layer = {}) { return append(std::move(layer), {x}); }
    NodeId average_pool2d(NodeId x, AveragePool2dLayer layer = {}) { return append(std::move(layer), {x}); }
    NodeId adaptive_average_pool2d(NodeId x, AdaptiveAveragePool2dLayer layer = {}) {
        return append(std::move(layer), {x});
    }
    NodeId dropout(NodeId x, DropoutLayer layer = {}) { return append(std::move(layer), {x}); }
    NodeId augment(NodeId x, AugmentLayer layer) { return append(std::move(layer), {x}); }
    NodeId add(NodeId a, NodeId b, AddLayer layer = {}) { return append(std::move(layer), {a, b}); }
    NodeId flatten(NodeId x, FlattenLayer layer = {}) { return append(std::move(layer), {x}); }

    /// In the order in which they were appended, the input first.
    const std::vector<Node>& nodes() const { return nodes_; }
    std::optional<NodeId> find(const std::string& name) const;

  private:
    friend detail::Folding detail::fold_norms(const Graph& graph);
    NodeId append(LayerOptions layer, std::vector<NodeId> reads);

    std::vector<Node> nodes_;
};

}  // namespace vknorm
