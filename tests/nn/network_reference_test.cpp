// The float64 trainer itself: its gradient against finite differences of its loss.
#include "reference/network_reference.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "nn/graphs.hpp"
#include "nn/layer.hpp"

namespace vknorm::reference {
namespace {

Tensors random_tensors(const Graph& graph, std::mt19937_64& random) {
    Tensors tensors;
    const auto layers = detail::layers_of(graph);
    for (const detail::StoreLayout::Entry& tensor : detail::layout_of(layers, {}).state()) {
        if (tensor.stored.group == detail::TensorGroup::counters) continue;
        Values& values = tensors[tensor.name()];
        const bool variance = tensor.tensor == "running_var";
        std::uniform_real_distribution<double> distribution(variance ? 0.5 : -1, variance ? 2 : 1);
        for (uint64_t i = 0; i < tensor.stored.count; ++i) values.push_back(distribution(random));
    }
    return tensors;
}

Labelled random_batch(const NetworkOptions& options, size_t rows, std::mt19937_64& random) {
    Labelled batch;
    std::uniform_real_distribution<float> distribution(-1, 1);
    for (size_t i = 0; i < rows * options.inputs; ++i) batch.inputs.push_back(distribution(random));
    for (size_t i = 0; i < rows; ++i)
        batch.labels.push_back(static_cast<uint32_t>(random() % options.classes));
    return batch;
}

// Central differences with h = 1e-6 are off by h^2 / 6 times a third derivative, and by 2^-53 / h: about
// 1e-10 both.
void check_gradient(NetworkReference& network, const Labelled& batch, const StepOptions& step) {
    const Tensors gradient = network.measure(batch, step).gradient;
    for (const auto& [name, values] : gradient) {
        for (size_t i = 0; i < values.size(); ++i) {
            constexpr double h = 1e-6;
            double& parameter = network.tensors.at(name)[i];
            const double saved = parameter;
            parameter = saved + h;
            const double above = network.measure(batch, step).loss;
            parameter = saved - h;
            const double below = network.measure(batch, step).loss;
            parameter = saved;
            EXPECT_NEAR((above - below) / (2 * h), values[i], 1e-8) << name << "[" << i << "]";
        }
    }
}

TEST(NetworkReference, GradientIsThatOfItsLoss) {
    std::mt19937_64 random(1);
    for (const Activation activation :
         {Activation::identity, Activation::relu, Activation::tanh, Activation::sigmoid}) {
        for (const Norm norm : {Norm::none, Norm::batch, Norm::layer, Norm::group, Norm::rms,
                                Norm::batch_renorm, Norm::ghost}) {
            for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
                const NetworkOptions options{
                    .inputs = 3,
                    .hidden =
                        {{.units = 8, .norm = norm, .activation = activation, .groups = 2, .ghost_size = 3},
                         {.units = 9, .norm = norm, .activation = activation, .groups = 3, .ghost_size = 4}},
                    .classes = 3};
                NetworkReference network(options, random_tensors(perceptron(options), random));
                // r and d count as constants, which they are at their limits: moving deviations of next to
                // nothing.
                if (norm == Norm::batch_renorm && statistics == Statistics::batch)
                    for (const char* variance : {"0.norm.running_var", "1.norm.running_var"})
                        std::fill(network.tensors.at(variance).begin(), network.tensors.at(variance).end(),
                                  0);
                check_gradient(network, random_batch(options, 7, random),
                               {.statistics = statistics, .renorm = {1.5f, 0.5f}});
            }
        }
    }
}

TEST(NetworkReference, GradientIsThatOfItsLossWhateverTheGraph) {
    std::mt19937_64 random(1);
    for (const testing::NamedGraph& named : testing::unusual_graphs()) {
        for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
            SCOPED_TRACE(named.name);
            NetworkReference network(named.graph, {}, random_tensors(named.graph, random));
            check_gradient(network, random_batch({.inputs = 6, .classes = 3}, 7, random),
                           {.statistics = statistics});
        }
    }
}

TEST(NetworkReference, GradientIsThatOfItsLossOnMaps) {
    std::mt19937_64 random(1);
    for (const testing::NamedGraph& named : testing::map_graphs()) {
        SCOPED_TRACE(named.name);
        NetworkReference network(named.graph, {}, random_tensors(named.graph, random));
        check_gradient(network, random_batch({.inputs = 80, .classes = 3}, 6, random), {.step = 1});
    }
}

}  // namespace
}  // namespace vknorm::reference
