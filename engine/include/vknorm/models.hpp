// Networks that are often built, as graphs: convolutional blocks and classifiers of pictures. Each is a few
// lines over Graph; who needs another one writes it as they are written.
//
// Nodes are named so that parameters and statistics have the names that PyTorch's state_dict gives those of
// modules of the same structure. A norm of Norm::none is left out, and the layer before it has a bias
// instead.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <vknorm/graph.hpp>

namespace vknorm {

struct ConvBnReluOptions {
    uint32_t channels = 0;
    uint32_t kernel = 3, stride = 1, padding = 1;
    NormLayer norm{};    ///< without a name
    std::string name{};  ///< what the names of the nodes begin with, before a dot
};

/// Convolution without bias, norm, ReLU: the nodes "conv", "bn" and "relu".
NodeId conv_bn_relu(Graph& graph, NodeId x, const ConvBnReluOptions& options);

struct ResidualBlockOptions {
    uint32_t channels = 0;
    uint32_t stride = 1;  ///< of the first convolution, and of the shortcut
    NormLayer norm{};     ///< without a name
    std::string name{};   ///< what the names of the nodes begin with, before a dot
};

/// K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016
/// (arXiv:1512.03385): convolution 3 x 3, norm, ReLU, convolution 3 x 3, norm, to which the shortcut is
/// added, then ReLU. Where x has another shape than the result, the shortcut is a convolution 1 x 1 and a
/// norm (option B). The nodes "conv1", "bn1", "relu1", "conv2", "bn2", "shortcut.0", "shortcut.1", "add" and
/// "relu2".
NodeId residual_block(Graph& graph, NodeId x, const ResidualBlockOptions& options);

/// K. He, X. Zhang, S. Ren, J. Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016
/// (arXiv:1603.05027), figure 1b: norm, ReLU, convolution 3 x 3, twice, to which the shortcut is added. Where
/// x has another shape than the result, the shortcut is a convolution 1 x 1 of what the first ReLU gives. The
/// nodes "bn1", "relu1", "conv1", "bn2", "relu2", "conv2", "shortcut.0" and "add".
NodeId preactivation_block(Graph& graph, NodeId x, const ResidualBlockOptions& options);

/// Of a whole network.
struct ModelOptions {
    std::vector<uint32_t> shape = {3, 32, 32};  ///< of an example
    uint32_t classes = 10;
    NormLayer norm{};  ///< of every norm, without a name
};

/// Linear, norm, ReLU for each hidden size, then Linear: "layers.0" to "layers.N", as a Sequential numbers
/// its modules.
Graph mlp(const ModelOptions& options, const std::vector<uint32_t>& hidden = {256, 128});

/// conv_bn_relu of 64, 128, 256 and 512 channels with max pooling by 2 between them and averages over the
/// whole map behind: "features.0" to "features.7"; then Linear to 256, norm, ReLU, dropout and Linear:
/// "classifier.0" (the flattening) to "classifier.5". Pictures of 8 x 8 at least.
Graph image_classifier(const ModelOptions& options, float dropout = 0.5f);

/// The same, small: 16, 32 and 64 channels, "features.0" to "features.5"; then Linear: "classifier.1".
/// Pictures of 4 x 4 at least.
Graph small_image_classifier(const ModelOptions& options);

/// The residual networks of section 4.2 of the first paper: conv_bn_relu of 16 channels, three stages of n
/// residual blocks of 16, 32 and 64 channels, the second and third with stride 2, the average over the whole
/// map and Linear. "conv1", "bn1", "layer1.0" to "layer3.N", "linear". Throws std::invalid_argument for a
/// depth that is not 6 n + 2, n at least 1.
Graph resnet_cifar(uint32_t depth, const ModelOptions& options);

/// The same of pre-activation blocks, with a norm and ReLU behind the last one instead of behind the first
/// convolution.
Graph preactivation_resnet_cifar(uint32_t depth, const ModelOptions& options);

}  // namespace vknorm
