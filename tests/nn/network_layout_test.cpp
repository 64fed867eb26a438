// Where tensors stand in the flat buffers, and what they hold at the start.
#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include "nn/layer.hpp"

namespace vknorm::detail {
namespace {

const NetworkOptions mixed{
    .inputs = 7,
    .hidden = {{13, Norm::batch}, {64, Norm::none}, {100, Norm::rms}, {16, Norm::ghost}},
    .classes = 5};

StoreLayout layout_of(const NetworkOptions& options) {
    return layout_of(layers_of(perceptron(options)), options);
}

/// Of the tensors of a group.
std::vector<Range> ranges_of(TensorGroup group, const StoreLayout& layout) {
    std::vector<Range> ranges;
    for (const StoreLayout::Entry& entry : layout.entries())
        if (entry.stored.group == group) ranges.push_back(layout.range(entry.stored));
    return ranges;
}

Range range_of(const std::string& name, const StoreLayout& layout) {
    for (const StoreLayout::Entry& entry : layout.entries())
        if (entry.name() == name) return layout.range(entry.stored);
    ADD_FAILURE() << name;
    return {};
}

// In the order of the groups of each buffer.
TEST(NetworkLayout, TensorsAreAlignedAndApart) {
    const StoreLayout layout = layout_of(mixed);
    const std::vector<TensorGroup> buffers[] = {
        {TensorGroup::weights, TensorGroup::affine},
        {TensorGroup::running, TensorGroup::counters},
        {TensorGroup::watched, TensorGroup::reported, TensorGroup::kept}};
    for (const std::vector<TensorGroup>& groups : buffers) {
        uint64_t end = 0;
        for (const TensorGroup group : groups) {
            EXPECT_FALSE(ranges_of(group, layout).empty());
            EXPECT_EQ(layout.range(group).first,
                      end == 0 ? 0 : layout.range(groups.front(), group).end() - layout.range(group).count);
            for (const Range& range : ranges_of(group, layout)) {
                EXPECT_EQ(range.first % 64, 0u);
                EXPECT_GE(range.first, std::max(end, layout.range(group).first));
                end = range.end();
            }
            EXPECT_LE(end, layout.range(group).end());
        }
    }
    EXPECT_EQ(layout.parameter_count(), 7u * 13 + 13 + 13 * 64 + 64 + 64 * 100 + 100 + 100 * 16 + 16 +
                                            16 * 5 + 5 + 2 * 13 + 100 + 2 * 16);
}

TEST(NetworkLayout, AffineParametersComeLast) {
    const StoreLayout layout = layout_of(mixed);
    EXPECT_EQ(layout.range(TensorGroup::weights).end(), layout.range(TensorGroup::affine).first);
    EXPECT_EQ(layout.range(TensorGroup::affine).end(), layout.parameters().end());
    for (const StoreLayout::Entry& entry : layout.state()) {
        const bool norm = entry.node.ends_with("norm"),
                   parameter = entry.tensor == "weight" || entry.tensor == "bias";
        if (parameter) {
            EXPECT_EQ(layout.range(TensorGroup::affine).holds(layout.range(entry.stored).first), norm)
                << entry.name();
        }
    }
}

TEST(NetworkLayout, ElementsAreFoundAgain) {
    const StoreLayout layout = layout_of(mixed);
    for (const StoreLayout::Entry& entry : layout.entries()) {
        const Range range = layout.range(entry.stored);
        for (const uint64_t element : {range.first, range.end() - 1}) {
            const StoreLayout::Entry* const found = layout.find(entry.stored.group, element);
            ASSERT_NE(found, nullptr);
            EXPECT_EQ(found->name(), entry.name());
        }
    }
    EXPECT_EQ(layout.find(TensorGroup::running, layout.running_words().end()), nullptr);
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
        for (const StoreLayout::Entry& entry : layout_of({.inputs = 2, .hidden = {{8, norm}}}).state())
            names.push_back(entry.name());
        for (const std::string& tensor : tensors) wanted.push_back("0.norm." + tensor);
        wanted.insert(wanted.end(), {"output.weight", "output.bias"});
        EXPECT_EQ(names, wanted);
    }
}

TEST(NetworkLayout, WeightsStartUniform) {
    const StoreLayout layout = layout_of({.inputs = 400, .hidden = {{100}}, .classes = 10});
    const std::vector<float> values = initial_parameters(layout, 5, 2);
    const Range weight = range_of("0.linear.weight", layout);
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
    EXPECT_EQ(values[range_of("0.norm.weight", layout).first], 1);
    EXPECT_EQ(values[range_of("0.norm.bias", layout).first], 0);
}

TEST(NetworkLayout, PaddingStartsAtZero) {
    const StoreLayout layout = layout_of(mixed);
    std::vector<float> values = initial_parameters(layout, 1, 1);
    for (const TensorGroup group : {TensorGroup::weights, TensorGroup::affine})
        for (const Range& range : ranges_of(group, layout))
            for (uint64_t i = range.first; i < range.end(); ++i) values[i] = 0;
    EXPECT_EQ(std::count(values.begin(), values.end(), 0.f), static_cast<ptrdiff_t>(values.size()));
    const std::vector<uint32_t> running = initial_running(layout);
    const Range variance = range_of("0.norm.running_var", layout);
    EXPECT_EQ(running[range_of("0.norm.running_mean", layout).first], 0u);
    EXPECT_EQ(running[variance.first], std::bit_cast<uint32_t>(1.f));
    EXPECT_EQ(running[variance.end()], 0u);
}

TEST(NetworkLayout, SeedsAndLayersDiffer) {
    const StoreLayout layout = layout_of({.inputs = 8, .hidden = {{8}, {8}}, .classes = 8});
    const auto values = [&](uint64_t seed, const std::string& tensor) {
        const std::vector<float> all = initial_parameters(layout, seed, 1);
        const auto first = all.begin() + static_cast<ptrdiff_t>(range_of(tensor, layout).first);
        return std::vector<float>(first, first + 64);
    };
    const std::string first = "0.linear.weight", second = "1.linear.weight";
    EXPECT_EQ(values(1, first), values(1, first));
    EXPECT_NE(values(1, first), values(2, first));
    EXPECT_NE(values(1, first), values(1, second));
    EXPECT_NE(values(1, second), values(2, first));
}

}  // namespace
}  // namespace vknorm::detail
