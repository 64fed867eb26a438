// The distributions of the inspected layer's tensors: that they are those of a float64 network with the same
// parameters and batch, that their ranges follow the data, when they are measured, and how many are kept.
#include <algorithm>
#include <cmath>

#include "app/experiment/batches.hpp"
#include "app/experiment/measured_layers.hpp"
#include "app/experiment/picture_model.hpp"
#include "lab/small_trainer.hpp"
#include "reference/network_reference.hpp"

namespace {

using namespace lab;
using namespace lab::testing;
namespace reference = vknorm::reference;
using vknorm::Norm;

Settings shown() {
    Settings settings = small();
    settings.distributions = true;
    return settings;
}

vknorm::Graph graph_of(const Settings& settings, size_t twin, const vknorm::Dataset& train) {
    if (!is_perceptron(settings)) return picture_model(settings, twin, train);
    vknorm::Graph graph({train.features});
    vknorm::NodeId x = graph.input();
    for (uint32_t i = 0; i < settings.hidden.size(); ++i) {
        const TwinSettings& its = settings.twins[twin];
        const std::string name = std::to_string(i);
        x = graph.linear(x, {.units = settings.hidden[i], .name = name + ".linear"});
        if (its.norm != Norm::none)
            x = graph.norm(x, {.kind = its.norm, .groups = its.groups, .name = name + ".norm"});
        x = graph.activation(x, {.function = its.activation, .name = name + ".activation"});
    }
    graph.linear(x, {.units = train.classes, .name = "output"});
    return graph;
}

/// What the twin's next step is to see, in float64.
reference::Step expected_step(Trainer& trainer, size_t twin) {
    const Settings& settings = trainer.settings();
    const vknorm::Dataset& train = *trainer.data().train;
    const vknorm::Graph graph = graph_of(settings, twin, train);
    vknorm::NetworkOptions options;
    options.max_batch = settings.batch;
    vknorm::Network same(test_device(), graph, options);
    for (const std::string& name : same.tensor_names())
        if (!name.ends_with("num_batches_tracked")) same.set_tensor(name, trainer.tensor(twin, name));
    Batches order(train, settings);
    order.seek(trainer.steps());
    const vknorm::Dataset batch = vknorm::pick(train, order.next());
    return reference::NetworkReference(graph, vknorm::BatchNormConvention::torch(),
                                       reference::tensors_of(same))
        .measure({batch.inputs, batch.labels}, {});
}

double width_of(const Histogram& histogram) {
    return (double{histogram.high} - double{histogram.low}) / static_cast<double>(histogram.share.size());
}

/// Of float64 values; those that lie so near to an edge that float32 may see them on the other side count on
/// either.
void expect_distribution_of(const Distribution& seen, reference::Values values) {
    const Histogram& histogram = seen.histogram;
    ASSERT_EQ(histogram.share.size(), 128u);
    ASSERT_EQ(seen.count, values.size());
    std::sort(values.begin(), values.end());
    const double reach = std::max(std::abs(values.front()), std::abs(values.back())), near = 2e-5 * reach;
    const auto below = [&](double edge) {
        return static_cast<double>(std::lower_bound(values.begin(), values.end(), edge) - values.begin());
    };
    const auto count = static_cast<double>(values.size());
    EXPECT_LE(width_of(histogram), reach / 10) << "fine enough from the first step on";
    double sum = histogram.below * count;
    for (size_t bin = 0; bin <= histogram.share.size(); ++bin) {
        const double edge = histogram.edge(bin);
        EXPECT_GE(sum + 0.1, below(edge - near)) << "below " << edge;
        EXPECT_LE(sum - 0.1, below(edge + near)) << "below " << edge;
        if (bin < histogram.share.size()) sum += histogram.share[bin] * count;
    }
    EXPECT_NEAR(sum + histogram.above * count, count, 0.1);
    EXPECT_NEAR(seen.minimum, values.front(), near);
    EXPECT_NEAR(seen.maximum, values.back(), near);
    double mean = 0, squares = 0;
    for (const double value : values) mean += value / count;
    for (const double value : values) squares += (value - mean) * (value - mean) / count;
    EXPECT_NEAR(seen.mean, mean, near);
    EXPECT_NEAR(seen.deviation, std::sqrt(squares), near + 1e-3 * std::sqrt(squares));
    for (size_t i = 0; i < told_percents.size(); ++i) {
        const double exact = values[static_cast<size_t>(told_percents[i] / 100.0 * (count - 1))];
        EXPECT_NEAR(seen.percentiles[i], exact, 1.01 * width_of(histogram) + 0.02 * reach)
            << told_percents[i] << " %";
    }
}

void expect_those_of_float64(const Settings& settings, uint64_t steps) {
    Trainer trainer = make_trainer(settings);
    for (uint64_t step = 1; step < steps; ++step) trainer.step();
    std::vector<reference::Step> expected;
    for (size_t twin = 0; twin < settings.twins.size(); ++twin)
        expected.push_back(expected_step(trainer, twin));
    trainer.step();
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        SCOPED_TRACE(twin_letter(twin));
        const MeasuredLayer layer =
            measured_layers(graph_of(settings, twin, *trainer.data().train))[settings.inspected_layer];
        const TwinView view = trainer.twins()[twin].view();
        ASSERT_EQ(view.latest_tensors.value().step, steps);
        const LayerDistributions& each = view.latest_tensors->each;
        const reference::Step& step = expected[twin];
        const auto expect_tensor = [&](LayerTensor tensor, const reference::Values& values) {
            SCOPED_TRACE(static_cast<int>(tensor));
            expect_distribution_of(each[static_cast<size_t>(tensor)], values);
        };
        expect_tensor(LayerTensor::before_norm, step.output.at(layer.linear));
        expect_tensor(LayerTensor::activated, step.output.at(layer.activation));
        expect_tensor(LayerTensor::gradient, step.output_gradient.at(layer.linear));
        if (layer.norm.empty()) {
            EXPECT_FALSE(each[1].there() || each[2].there()) << "it has no norm";
            continue;
        }
        expect_tensor(LayerTensor::after_norm, step.output.at(layer.norm));
        reference::Values normalized = step.output.at(layer.norm);
        const reference::NormStatistics& norm = step.norms.at(layer.norm);
        const reference::Values& z = step.output.at(layer.linear);
        for (size_t i = 0; i < z.size(); ++i) {
            const size_t channel = i / layer.positions() % layer.width(),
                         row = i / layer.positions() / layer.width(),
                         set = layer.kind == Norm::batch ? channel : row;
            const double mean = norm.mean.empty() ? 0 : norm.mean[set];
            normalized[i] = (z[i] - mean) / std::sqrt(norm.variance[set] + double{settings.epsilon});
        }
        expect_tensor(LayerTensor::normalized, normalized);
    }
}

TEST(Distributions, AreThoseOfFloat64) {
    Settings settings = shown();
    settings.twins = {{Norm::batch}, {Norm::none}, {Norm::layer}};
    for (const uint32_t layer : {0u, 1u}) {
        settings.inspected_layer = layer;
        for (const uint64_t steps : {1u, 6u}) {
            SCOPED_TRACE("layer " + std::to_string(layer) + ", step " + std::to_string(steps));
            expect_those_of_float64(settings, steps);
        }
    }
}

TEST(Distributions, OfConvolutionsAreThoseOfFloat64) {
    Settings settings = shown();
    settings.data = Data::digits;
    settings.model = Model::classifier_small;
    settings.batch = 4;
    settings.inspected_layer = 1;
    expect_those_of_float64(settings, 2);
}

TEST(Distributions, AnActivationMayStandBehindASum) {
    Settings settings = shown();
    settings.data = Data::digits;
    settings.model = Model::resnet8;
    settings.twins.resize(1);
    settings.batch = 4;
    for (uint32_t layer = 0; layer < measured_layers(settings, 0).size(); ++layer)
        EXPECT_NE(measured_layers(settings, 0)[layer].activation, "") << layer;
    settings.inspected_layer = 2;
    Trainer trainer = make_trainer(settings);
    train(trainer, 2);
    const LayerDistributions each = trainer.twins()[0].view().latest_tensors.value().each;
    for (const Distribution& tensor : each) EXPECT_GT(tensor.count, 0u);
    EXPECT_GE(each[3].minimum, 0) << "of a ReLU";
}

TEST(Distributions, TheirRangesFollowTheData) {
    Settings settings = shown();
    settings.twins[0] = {Norm::none, vknorm::Activation::identity};  // both grow without bounds
    settings.twins[1] = {Norm::none, vknorm::Activation::relu};
    settings.learning_rate = 1;
    Trainer trainer = make_trainer(settings);
    size_t checked = 0;
    for (int step = 1; step <= 40 && !trainer.ended(); ++step) {
        trainer.step();
        if (step == 2) continue;  // the first one's range may be too small
        for (const Twin& twin : trainer.twins()) {
            if (twin.diverged()) continue;
            const LayerDistributions each = twin.view().latest_tensors.value().each;
            for (const Distribution& tensor : each) {
                if (!tensor.there()) continue;
                ++checked;
                const Histogram& histogram = tensor.histogram;
                EXPECT_LE(histogram.below + histogram.above, 0.2f) << "step " << step;
                const double used = double{std::min(tensor.maximum, histogram.high)} -
                                    double{std::max(tensor.minimum, histogram.low)};
                EXPECT_TRUE(used == 0 || used >= 3 * width_of(histogram)) << "step " << step;
                EXPECT_TRUE(tensor.minimum != 0 || histogram.below == 0) << "0 is no value beyond";
            }
        }
    }
    EXPECT_GE(checked, 20u);
}

TEST(Distributions, AreMeasuredWhileTheyAreShownAndChangeNothing) {
    Settings settings = small();
    Trainer trainer = make_trainer(settings), undisturbed = make_trainer(settings);
    train(trainer, 3);
    EXPECT_TRUE(trainer.twins()[0].view().tensors.empty()) << "nobody asked";
    settings.distributions = true;
    trainer.apply(settings);
    train(trainer, 4);
    settings.inspected_unit = 5;
    trainer.apply(settings);
    train(trainer, 1);
    TwinView view = trainer.twins()[0].view();
    ASSERT_EQ(view.tensors.size(), 5u) << "another unit is of the same layer";
    EXPECT_EQ(view.tensors[0].step, 4u);
    settings.distributions = false;
    trainer.apply(settings);
    train(trainer, 2);
    view = trainer.twins()[0].view();
    EXPECT_EQ(view.tensors.size(), 5u);
    EXPECT_EQ(view.latest_tensors.value().step, 8u);
    settings.inspected_layer = 0;
    trainer.apply(settings);
    EXPECT_TRUE(trainer.twins()[0].view().tensors.empty() && !trainer.twins()[0].view().latest_tensors)
        << "another layer";
    train(undisturbed, 10);
    for (const size_t twin : {0u, 1u})
        expect_same_training(trainer.twins()[twin].view(), undisturbed.twins()[twin].view());
}

TEST(Distributions, TakeNoMoreMemoryInLongRuns) {
    Trainer trainer = make_trainer(shown());
    train(trainer, 2);
    TwinView view = trainer.twins()[0].view();
    for (uint64_t step = 3; step <= 5000; ++step) view.tensors.push(step, view.latest_tensors->each);
    EXPECT_LE(view.tensors.size(), 256u);
    EXPECT_GE(view.tensors.size(), 128u);
    for (const auto& entry : view.tensors)
        for (const Distribution& tensor : entry.value) EXPECT_EQ(tensor.histogram.share.size(), 128u);
}

TEST(Distributions, AreOfAllDevicesOfATwin) {
    Settings settings = shown();
    settings.twins = {{Norm::batch}, {.norm = Norm::batch, .devices = 2}};
    Trainer trainer = make_trainer(settings);
    train(trainer, 2);
    const LayerDistributions one = trainer.twins()[0].view().latest_tensors.value().each,
                             two = trainer.twins()[1].view().latest_tensors.value().each;
    for (size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(two[i].count, uint64_t{settings.batch} * 8) << i;
        EXPECT_NEAR(two[i].mean, one[i].mean, 1e-4) << i;
        EXPECT_NEAR(two[i].deviation, one[i].deviation, 1e-4) << i;
    }
}

}  // namespace
