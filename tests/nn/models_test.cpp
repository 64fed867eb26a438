// The models: the names and sizes of their tensors are those of PyTorch's modules, their shapes those of the
// papers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include <vknorm/models.hpp>

#include "nn/layer.hpp"

namespace vknorm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;

/// The state's tensors: how many values each has.
std::map<std::string, uint64_t> tensors_of(const Graph& graph) {
    std::map<std::string, uint64_t> sizes;
    for (const detail::StoreLayout::Entry& entry : detail::layout_of(detail::layers_of(graph), {}).state())
        sizes[entry.name()] = entry.stored.count;
    return sizes;
}

uint64_t parameter_count(const Graph& graph) {
    return detail::layout_of(detail::layers_of(graph), {}).parameter_count();
}

std::vector<uint32_t> shape_of(const Graph& graph, const std::string& node) {
    return graph.nodes().at(graph.find(node).value().index).shape;
}

using Shape = std::vector<uint32_t>;
const NormLayer no_norm{.kind = Norm::none};

TEST(Models, Mlp) {
    const Graph graph = mlp({.shape = {1, 28, 28}});
    const auto tensors = tensors_of(graph);
    EXPECT_EQ(tensors.at("layers.0.weight"), 784u * 256);
    EXPECT_EQ(tensors.at("layers.1.running_mean"), 256u);
    EXPECT_EQ(tensors.at("layers.3.weight"), 256u * 128);
    EXPECT_EQ(tensors.at("layers.6.bias"), 10u);
    EXPECT_EQ(tensors.size(), 3u * 2 + 2 * 5);
    EXPECT_THAT(tensors_of(mlp({.shape = {784}, .norm = no_norm})), Not(Contains(Key("layers.1.weight"))));
}

// The sizes of torchvision-like modules, counted by hand from their definitions.
TEST(Models, ImageClassifier) {
    const Graph graph = image_classifier({});
    const auto tensors = tensors_of(graph);
    EXPECT_EQ(tensors.at("features.0.conv.weight"), 3u * 64 * 9);
    EXPECT_EQ(tensors.at("features.2.bn.running_var"), 128u);
    EXPECT_EQ(tensors.at("features.6.conv.weight"), 256u * 512 * 9);
    EXPECT_EQ(tensors.at("classifier.1.weight"), 512u * 256);
    EXPECT_EQ(tensors.at("classifier.2.num_batches_tracked"), 2u);
    EXPECT_EQ(tensors.at("classifier.5.bias"), 10u);
    EXPECT_THAT(tensors, Not(Contains(Key("features.0.conv.bias"))));
    EXPECT_EQ(parameter_count(graph), 1686346u);
    EXPECT_EQ(shape_of(graph, "features.5"), (Shape{256, 4, 4}));
    EXPECT_EQ(shape_of(graph, "features.7"), (Shape{512, 1, 1}));
    EXPECT_EQ(tensors_of(image_classifier({.norm = no_norm})).at("features.0.conv.bias"), 64u);
}

TEST(Models, SmallImageClassifier) {
    const Graph graph = small_image_classifier({.shape = {1, 28, 28}});
    EXPECT_THAT(tensors_of(graph), Contains(Key("features.4.bn.weight")));
    EXPECT_EQ(shape_of(graph, "features.5"), (Shape{64, 1, 1}));
    EXPECT_EQ(parameter_count(graph), 9u * 16 + 16 * 32 * 9 + 32 * 64 * 9 + 2 * (16 + 32 + 64) + 650);
}

TEST(Models, ResNet) {
    const Graph eight = resnet_cifar(8, {.shape = {1, 28, 28}});
    const auto tensors = tensors_of(eight);
    for (const char* name :
         {"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer2.0.bn2.num_batches_tracked",
          "layer2.0.shortcut.0.weight", "layer3.0.shortcut.1.running_var", "linear.weight", "linear.bias"})
        EXPECT_THAT(tensors, Contains(Key(name)));
    EXPECT_THAT(tensors, Not(Contains(Key("layer1.0.shortcut.0.weight"))));
    EXPECT_EQ(shape_of(eight, "layer3.0.relu2"), (Shape{64, 7, 7}));
    // He et al., table 6: 0.27 million, of which option B's shortcuts are not.
    EXPECT_EQ(parameter_count(resnet_cifar(20, {})), 269722u + 16 * 32 + 32 * 64 + 2 * (32 + 64));
    EXPECT_THAT(tensors_of(resnet_cifar(20, {})), Contains(Key("layer3.2.bn2.weight")));
}

TEST(Models, PreActivationResNet) {
    const Graph graph = preactivation_resnet_cifar(20, {});
    const auto tensors = tensors_of(graph);
    EXPECT_THAT(tensors, Contains(Key("layer2.0.shortcut.0.weight")));
    EXPECT_THAT(tensors, Not(Contains(Key("layer2.0.shortcut.1.weight"))));
    EXPECT_THAT(tensors, Not(Contains(Key("bn1.weight"))));
    EXPECT_EQ(tensors.at("bn.weight"), 64u);
    EXPECT_EQ(shape_of(graph, "layer2.2.add"), (Shape{32, 16, 16}));
}

TEST(Models, EveryNormFits) {
    for (const Norm norm : {Norm::none, Norm::batch, Norm::layer, Norm::group, Norm::rms, Norm::batch_renorm,
                            Norm::ghost, Norm::instance}) {
        EXPECT_NO_THROW((void)resnet_cifar(14, {.norm = {.kind = norm}}));
        EXPECT_NO_THROW((void)preactivation_resnet_cifar(14, {.norm = {.kind = norm}}));
        EXPECT_NO_THROW((void)small_image_classifier({.norm = {.kind = norm}}));
        // Its hidden layer has no positions to normalize over.
        if (norm == Norm::instance) continue;
        EXPECT_NO_THROW((void)image_classifier({.norm = {.kind = norm}}));
    }
}

TEST(Models, RefuseWhatTheyAreNot) {
    const auto refused = [](const auto& build) -> std::string {
        try {
            (void)build();
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "nothing was thrown";
    };
    for (const uint32_t depth : {0u, 2u, 7u, 18u})
        EXPECT_THAT(refused([&] { return resnet_cifar(depth, {}); }),
                    HasSubstr("resnet_cifar: depth: got " + std::to_string(depth) + ", needs 6 n + 2"));
    EXPECT_THAT(
        refused([] { return image_classifier({.shape = {784}}); }),
        HasSubstr("graph: features.0.conv: got an input of shape {784}, needs {channels, height, width}"));
    EXPECT_THAT(refused([] { return image_classifier({.shape = {1, 4, 4}}); }), HasSubstr("features.5"));
}

}  // namespace
}  // namespace vknorm
