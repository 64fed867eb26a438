// How training steps go: learning rates, clipped gradients, micro-batches, what is frozen.
#include <algorithm>
#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <numeric>

#include <vknorm/learning_rate.hpp>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using namespace reference;
using ::testing::HasSubstr;

NetworkOptions small_network(Norm norm) {
    const HiddenLayer layer{.units = 12, .norm = norm, .activation = Activation::relu, .groups = 4};
    return {.inputs = 5, .hidden = {layer, layer}, .classes = 3, .max_batch = 32, .seed = 3};
}

StepResult step(Network& network, const Labelled& batch) {
    return network.result(network.train_step(batch.inputs, batch.labels));
}

Labelled rows_of(const Labelled& batch, size_t first, size_t rows) {
    const size_t features = batch.inputs.size() / batch.labels.size();
    const auto inputs = batch.inputs.begin() + static_cast<ptrdiff_t>(first * features);
    const auto labels = batch.labels.begin() + static_cast<ptrdiff_t>(first);
    return {{inputs, inputs + static_cast<ptrdiff_t>(rows * features)},
            {labels, labels + static_cast<ptrdiff_t>(rows)}};
}

double norm_of(const Tensors& gradient) {
    double squares = 0;
    for (const auto& [name, values] : gradient)
        for (const double g : values) squares += g * g;
    return std::sqrt(squares);
}

TEST(NetworkTraining, TakesALearningRateForEachStep) {
    std::mt19937_64 random = random_generator();
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{.momentum = 0.9f}), Optimizer(Adam{}), Optimizer(AdamW{})}) {
        Network scheduled(test_device(), small_network(Norm::batch)),
            set(test_device(), small_network(Norm::batch));
        scheduled.set_optimizer(optimizer);
        for (uint64_t i = 1; i <= 4; ++i) {
            const Labelled batch = random_batch(random, set.options(), 24);
            const float rate = 0.1f * cosine_decay(i, {.steps = 4});
            Optimizer changed = optimizer;
            std::visit([&](auto& kind) { kind.learning_rate = rate; }, changed);
            set.set_optimizer(changed);
            scheduled.set_learning_rate(rate);
            EXPECT_EQ(step(scheduled, batch).loss, step(set, batch).loss);
        }
        EXPECT_EQ(contents_of(scheduled), contents_of(set));
    }
}

// At rate 1 a step of SGD moves parameters by the gradient.
TEST(NetworkTraining, ClipsTheGradientByItsNorm) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_network(Norm::batch);
    const Labelled batch = random_batch(random, options, 24);
    Network clipped(test_device(), options), free(test_device(), options), loose(test_device(), options);
    const Tensors before = tensors_of(free);
    for (Network* network : {&clipped, &free, &loose}) network->set_optimizer(Sgd{.learning_rate = 1});
    const float norm = step(free, batch).gradient_norm;
    clipped.set_max_gradient_norm(norm / 4);
    loose.set_max_gradient_norm(norm * 1.01f);
    EXPECT_EQ(step(clipped, batch).gradient_norm, norm);
    EXPECT_EQ(step(loose, batch).gradient_norm, norm);
    EXPECT_EQ(contents_of(loose), contents_of(free));

    NetworkReference reference(options, before);
    const double scale = norm / 4 / (norm + 1e-6);
    const Tensors after = tensors_of(clipped);
    for (const auto& [name, gradient] : reference.measure(batch, {}).gradient) {
        std::vector<float> got;
        Values expected;
        for (size_t i = 0; i < gradient.size(); ++i) {
            got.push_back(static_cast<float>(before.at(name)[i] - after.at(name)[i]));
            expected.push_back(scale * gradient[i]);
        }
        expect_near("clipped gradient", got, expected, 1e-6);
    }
}

// Two micro-batches with batch normalization are two batches to it: the gradient is the mean of theirs, not
// that of all rows, and running statistics take in both.
TEST(NetworkTraining, MicroBatchesHaveStatisticsOfTheirOwn) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = small_network(Norm::batch);
    options.accumulate = 2;
    Network network(test_device(), options);
    network.set_optimizer(Sgd{.learning_rate = 1});
    network.set_probes({{.node = "0.norm"}});
    const Labelled batch = random_batch(random, options, 23), first = rows_of(batch, 0, 12),
                   second = rows_of(batch, 12, 11);
    const Tensors before = tensors_of(network);
    NetworkReference reference(options, before);
    const Step of_first = reference.measure(first, {}), of_second = reference.measure(second, {}),
               of_all = reference.measure(batch, {});
    const StepResult result = step(network, batch);
    const std::vector<uint32_t>& counts = result.probes.at("0.norm.output").histogram;
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0u), 11u * 12);
    EXPECT_NEAR(result.loss, (12 * of_first.loss + 11 * of_second.loss) / 23, 1e-6);

    const Tensors after = tensors_of(network);
    double apart = 0;
    for (const auto& [name, gradient] : of_first.gradient) {
        std::vector<float> got;
        Values expected;
        for (size_t i = 0; i < gradient.size(); ++i) {
            got.push_back(static_cast<float>(before.at(name)[i] - after.at(name)[i]));
            expected.push_back((12 * gradient[i] + 11 * of_second.gradient.at(name)[i]) / 23);
            apart = std::max(apart, std::abs(expected[i] - of_all.gradient.at(name)[i]));
        }
        expect_near("gradient of micro-batches", got, expected, 2e-6);
    }
    EXPECT_GT(apart, 1e-3) << "from that of one large batch";
    EXPECT_EQ(network.counter("0.norm.num_batches_tracked"), 2);
    EXPECT_EQ(network.steps(), 1u);

    NetworkReference updated(options, before);
    (void)updated.train(first, {.sgd = {.learning_rate = 0}});
    (void)updated.train(second, {.sgd = {.learning_rate = 0}});
    for (const char* tensor : {"0.norm.running_mean", "1.norm.running_var"})
        expect_near("running statistics of micro-batches", network.tensor(tensor), updated.tensors.at(tensor),
                    2e-6);
}

TEST(NetworkTraining, RefusesMicroBatchesThatCannotBe) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = small_network(Norm::batch);
    options.accumulate = 4;
    options.max_batch = 8;
    Network network(test_device(), options);
    const auto refused = [&](size_t rows) {
        const Labelled batch = random_batch(random, options, rows);
        return refusal([&] { network.train_step(batch.inputs, batch.labels); });
    };
    EXPECT_EQ(refused(3), "network.train_step: labels: got 3 rows, needs 4 to 32");
    EXPECT_EQ(refused(33), "network.train_step: labels: got 33 rows, needs 4 to 32");
    EXPECT_THAT(refused(7), HasSubstr("expected more than 1 value per channel"));
    EXPECT_EQ(refused(8), "no error");
    options.accumulate = 0;
    EXPECT_EQ(refusal([&] { Network(test_device(), options); }),
              "network: accumulate: got 0, needs at least 1");
}

TEST(NetworkTraining, MicroBatchesThatAreNotFiniteAreFound) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = small_network(Norm::batch);
    options.accumulate = 3;
    for (const size_t row : {0u, 20u}) {
        Network network(test_device(), options);
        Labelled batch = random_batch(random, options, 24);
        batch.inputs[5 * row + 2] = std::nanf("");
        const auto before = contents_of(network);
        const Ticket ticket = network.train_step(batch.inputs, batch.labels);
        EXPECT_THROW((void)network.result(ticket), Diverged);
        EXPECT_EQ(contents_of(network), before);
    }
}

TEST(NetworkTraining, RefusesALossThatCannotBe) {
    NetworkOptions options = small_network(Norm::none);
    const auto refused = [&] { return refusal([&] { Network(test_device(), options); }); };
    options.label_smoothing = 1;
    EXPECT_EQ(refused(), "network: label_smoothing: got 1.000000, needs 0 to less than 1");
    options.label_smoothing = 0;
    options.class_weights = {1, 2};
    EXPECT_EQ(refused(), "network: class_weights: got 2 numbers, needs one for each of 3 classes");
    options.class_weights = {1, -2, 1};
    EXPECT_EQ(refused(), "network: class_weights[1]: got -2.000000, needs a finite number from 0 on");
    options.class_weights = {0, 0, 0};
    EXPECT_EQ(refused(), "network: class_weights: got 0 for all classes, needs a weight above 0");
    options.class_weights = {0, 0, 1};
    Network network(test_device(), options);
    const std::vector<float> inputs(10);
    EXPECT_EQ(
        refusal([&] {
            network.train_step(inputs, std::vector<uint32_t>{0, 1});
        }),
        "network.train_step: labels: got classes whose weights are all 0, needs one with a weight above 0");
}

TEST(NetworkTraining, EvaluatesWithoutSmoothingAndWeights) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = small_network(Norm::batch);
    Network plain(test_device(), options);
    options.label_smoothing = 0.1f;
    options.class_weights = {1, 2, 3};
    Network other(test_device(), options);
    const Labelled set = random_batch(random, options, 40);
    EXPECT_EQ(plain.evaluate(set.inputs, set.labels, Statistics::running).loss,
              other.evaluate(set.inputs, set.labels, Statistics::running).loss);
}

// The other parameters move as if nothing were frozen, and make up the norm.
TEST(NetworkTraining, FrozenParametersStay) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_network(Norm::batch);
    const std::vector<std::vector<std::string>> lists = {
        {"0.linear", "0.norm"}, {"1.norm"}, {"1.linear", "output"}};
    for (const std::vector<std::string>& frozen : lists) {
        for (const Optimizer& optimizer :
             {Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.1f}),
              Optimizer(AdamW{.learning_rate = 0.1f})}) {
            Network network(test_device(), options), free(test_device(), options);
            for (Network* each : {&network, &free}) each->set_optimizer(optimizer);
            // Moments, and a gradient that is there already, are no reason to move.
            const Labelled earlier = random_batch(random, options, 24);
            for (Network* each : {&network, &free}) (void)step(*each, earlier);
            network.set_frozen({.parameters = frozen});
            const auto before = contents_of(network);
            const auto is_frozen = [&](const std::string& tensor) {
                return (tensor.ends_with("weight") || tensor.ends_with("bias")) &&
                       std::any_of(frozen.begin(), frozen.end(),
                                   [&](const std::string& node) { return tensor.starts_with(node + "."); });
            };
            const Labelled batch = random_batch(random, options, 24);
            Tensors gradient = NetworkReference(options, tensors_of(network)).measure(batch, {}).gradient;
            std::erase_if(gradient, [&](const auto& tensor) { return is_frozen(tensor.first); });
            const StepResult result = step(network, batch);
            EXPECT_EQ(result.loss, step(free, batch).loss);
            EXPECT_NEAR(result.gradient_norm, norm_of(gradient), 1e-5 * norm_of(gradient));
            const auto after = contents_of(network), moved = contents_of(free);
            for (const auto& [tensor, values] : after)
                EXPECT_EQ(values, is_frozen(tensor) ? before.at(tensor) : moved.at(tensor)) << tensor;
            network.set_frozen({});
            (void)step(network, batch);
            EXPECT_NE(contents_of(network).at(frozen[0] + ".weight"), before.at(frozen[0] + ".weight"));
        }
    }
}

TEST(NetworkTraining, WhateverIsFrozenTheOthersFollowTheirGradient) {
    std::mt19937_64 random = random_generator();
    for (const NamedGraph& named : unusual_graphs()) {
        SCOPED_TRACE(named.name);
        std::vector<std::string> nodes;
        {
            Network network(test_device(), named.graph);
            for (const std::string& tensor : network.tensor_names())
                if (tensor.ends_with(".weight")) nodes.push_back(tensor.substr(0, tensor.rfind('.')));
        }
        const Labelled batch = random_batch(random, {.inputs = 6, .classes = 3}, 24);
        Network free(test_device(), named.graph);
        (void)step(free, batch);
        const auto moved = contents_of(free);
        for (const std::string& left : nodes) {
            Network network(test_device(), named.graph);
            std::vector<std::string> frozen = nodes;
            std::erase(frozen, left);
            network.set_frozen({.parameters = frozen});
            const auto before = contents_of(network);
            (void)step(network, batch);
            for (const auto& [tensor, values] : contents_of(network)) {
                const bool parameter = tensor.ends_with("weight") || tensor.ends_with("bias");
                EXPECT_EQ(values,
                          !parameter || tensor.starts_with(left + ".") ? moved.at(tensor) : before.at(tensor))
                    << tensor << ", all frozen but " << left;
            }
        }
    }
}

// All frozen: as a network that trains with running statistics and does not update them.
TEST(NetworkTraining, FrozenStatisticsStayAndNormalize) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : {Norm::batch, Norm::batch_renorm, Norm::ghost}) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = small_network(norm);
        Network frozen(test_device(), options), running(test_device(), options);
        const Labelled earlier = random_batch(random, options, 32), batch = random_batch(random, options, 1);
        for (Network* network : {&frozen, &running}) (void)step(*network, earlier);
        frozen.set_frozen({.statistics = {"0.norm", "1.norm"}});
        running.set_statistics(Statistics::running);
        running.set_update_running(false);
        const StepResult result = step(frozen, batch);
        EXPECT_EQ(result.loss, step(running, batch).loss);
        EXPECT_EQ(contents_of(frozen), contents_of(running));
        EXPECT_TRUE(std::isnan(result.statistics.at("0.norm")[0].batch_mean));

        // One of them: the other one takes in batches.
        frozen.set_frozen({.statistics = {"0.norm"}});
        const auto before = contents_of(frozen);
        const StepResult mixed = step(frozen, earlier);
        EXPECT_TRUE(std::isnan(mixed.statistics.at("0.norm")[0].batch_mean));
        EXPECT_FALSE(std::isnan(mixed.statistics.at("1.norm")[0].batch_mean));
        const auto after = contents_of(frozen);
        EXPECT_EQ(after.at("0.norm.running_mean"), before.at("0.norm.running_mean"));
        EXPECT_NE(after.at("1.norm.running_mean"), before.at("1.norm.running_mean"));
        EXPECT_EQ(after.at("0.norm.num_batches_tracked"), before.at("0.norm.num_batches_tracked"));
    }
}

TEST(NetworkTraining, FrozenGradientsCanBeLookedAt) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_network(Norm::batch);
    Network frozen(test_device(), options), free(test_device(), options);
    const Labelled batch = random_batch(random, options, 24);
    frozen.set_frozen({.parameters = {"0.linear", "0.norm", "1.linear", "1.norm"}});
    for (Network* network : {&frozen, &free})
        network->set_probes({{.node = "0.norm", .tensor = Tensor::output_gradient}});
    EXPECT_EQ(step(frozen, batch).probes.at("0.norm.output_gradient").mean,
              step(free, batch).probes.at("0.norm.output_gradient").mean);
}

TEST(NetworkTraining, RefusesToFreezeWhatIsNotThere) {
    Network network(test_device(), small_network(Norm::batch));
    const auto refused = [&](const Frozen& frozen) { return refusal([&] { network.set_frozen(frozen); }); };
    EXPECT_EQ(refused({.parameters = {"0.linear", "2.linear"}}),
              "network.set_frozen: node: got \"2.linear\", needs the name of one of the graph's nodes");
    EXPECT_EQ(refused({.parameters = {"0.activation"}}),
              "network.set_frozen: parameters: got \"0.activation\", needs a node that has some");
    EXPECT_EQ(refused({.statistics = {"0.linear"}}),
              "network.set_frozen: statistics: got \"0.linear\", needs a norm that keeps running ones");
    EXPECT_EQ(refused({.parameters = {"0.linear", "0.norm", "1.linear", "1.norm", "output"}}), "no error");
    const std::vector<float> inputs(10);
    const std::vector<uint32_t> labels(2);
    EXPECT_EQ(refusal([&] { network.train_step(inputs, labels); }),
              "network.train_step: parameters: got all frozen, needs one to train");
}

}  // namespace
}  // namespace vknorm::testing
