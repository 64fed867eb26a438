// Where tensors stand in the flat buffers, and what they hold at the start.
#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include "nn/store_layout.hpp"

namespace vknorm::detail {
namespace {

const NetworkOptions mixed{
    .inputs = 7,
    .hidden = {{13, Norm::batch}, {64, Norm::none}, {100, Norm::rms}, {16, Norm::ghost}},
    .classes = 5};

std::vector<Range> ranges_at(NamedTensor::Home home, const Layout& layout) {
    std::vector<Range> ranges;
    for (const NamedTensor& tensor : named_tensors(layout))
        if (tensor.home == home) ranges.push_back(tensor.range);
    std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
    return ranges;
}

TEST(NetworkLayout, TensorsAreAlignedAndApart) {
    const Layout layout(mixed);
    for (const auto home : {NamedTensor::Home::parameters, NamedTensor::Home::running}) {
        uint64_t end = 0;
        for (const Range& range : ranges_at(home, layout)) {
            EXPECT_EQ(range.first % 64, 0u);
            EXPECT_GE(range.first, end);
            end = range.end();
        }
        EXPECT_LE(end,
                  home == NamedTensor::Home::parameters ? layout.parameters.count : layout.running.count);
    }
    for (const Range& range : ranges_at(NamedTensor::Home::batches, layout)) {
        EXPECT_GE(range.first, layout.running.end());
        EXPECT_LE(range.end(), layout.running_words.end());
    }
    EXPECT_EQ(layout.parameter_count, 7u * 13 + 13 + 13 * 64 + 64 + 64 * 100 + 100 + 100 * 16 + 16 + 16 * 5 +
                                          5 + 2 * 13 + 100 + 2 * 16);
}

TEST(NetworkLayout, AffineParametersComeLast) {
    const Layout layout(mixed);
    for (const LayerTensors& layer : layout.layers) {
        EXPECT_LE(layer.bias.end(), layout.linear.end());
        EXPECT_TRUE(!layer.norm || layer.norm->gamma.first >= layout.affine.first);
    }
    EXPECT_EQ(layout.linear.end(), layout.affine.first);
    EXPECT_EQ(layout.affine.end(), layout.parameters.end());
}

// As the modules of torch have them.
TEST(NetworkLayout, EveryNormHasItsOwnTensors) {
    const std::vector<std::string> affine = {"weight", "bias"},
                                   with_running = {"weight", "bias", "running_mean", "running_var",
                                                   "num_batches_tracked"};
    const std::pair<Norm, std::vector<std::string>> norms[] = {
        {Norm::none, {}},       {Norm::batch, with_running},        {Norm::layer, affine},
        {Norm::group, affine},  {Norm::batch_renorm, with_running}, {Norm::ghost, with_running},
        {Norm::rms, {"weight"}}};
    for (const auto& [norm, tensors] : norms) {
        std::vector<std::string> names, wanted = {"0.linear.weight", "0.linear.bias"};
        for (const NamedTensor& tensor : named_tensors(Layout({.inputs = 2, .hidden = {{8, norm}}})))
            names.push_back(tensor.name);
        for (const std::string& tensor : tensors) wanted.push_back("0.norm." + tensor);
        wanted.insert(wanted.end(), {"output.weight", "output.bias"});
        EXPECT_EQ(names, wanted);
    }
}

TEST(NetworkLayout, WeightsStartUniform) {
    const Layout layout({.inputs = 400, .hidden = {{100}}, .classes = 10});
    const std::vector<float> values = initial_parameters(layout, 5, 2);
    const Range& weight = layout.layers[0].weight;
    const double reach = 2 / std::sqrt(400.0);
    double sum = 0, squares = 0, largest = 0;
    for (uint64_t i = weight.first; i < weight.end(); ++i) {
        sum += values[i];
        squares += values[i] * double{values[i]};
        largest = std::max(largest, std::abs(double{values[i]}));
    }
    const auto count = static_cast<double>(weight.count);
    // Five standard errors of the mean and of the mean square of a uniform distribution.
    EXPECT_NEAR(sum / count, 0, 5 * reach / std::sqrt(3 * count));
    EXPECT_NEAR(squares / count, reach * reach / 3, 5 * reach * reach * 0.3 / std::sqrt(count));
    EXPECT_LE(largest, reach);
    EXPECT_GT(largest, 0.99 * reach);
    EXPECT_EQ(values[layout.layers[0].norm->gamma.first], 1);
    EXPECT_EQ(values[layout.layers[0].norm->beta.first], 0);
}

TEST(NetworkLayout, PaddingStartsAtZero) {
    const Layout layout(mixed);
    std::vector<float> values = initial_parameters(layout, 1, 1);
    for (const Range& range : ranges_at(NamedTensor::Home::parameters, layout))
        for (uint64_t i = range.first; i < range.end(); ++i) values[i] = 0;
    EXPECT_EQ(std::count(values.begin(), values.end(), 0.f), static_cast<ptrdiff_t>(values.size()));
    const std::vector<uint32_t> running = initial_running(layout);
    EXPECT_EQ(running[layout.layers[0].norm->running_mean.first], 0u);
    EXPECT_EQ(running[layout.layers[0].norm->running_variance.first], std::bit_cast<uint32_t>(1.f));
    EXPECT_EQ(running[layout.layers[0].norm->running_variance.end()], 0u);
}

TEST(NetworkLayout, SeedsAndLayersDiffer) {
    const Layout layout({.inputs = 8, .hidden = {{8}, {8}}, .classes = 8});
    const auto values = [&](uint64_t seed, size_t layer) {
        const std::vector<float> all = initial_parameters(layout, seed, 1);
        const auto first = all.begin() + static_cast<ptrdiff_t>(layout.layers[layer].weight.first);
        return std::vector<float>(first, first + 64);
    };
    EXPECT_EQ(values(1, 0), values(1, 0));
    EXPECT_NE(values(1, 0), values(2, 0));
    EXPECT_NE(values(1, 0), values(1, 1));
    EXPECT_NE(values(1, 1), values(2, 0));
}

}  // namespace
}  // namespace vknorm::detail
