// Steps that must not happen: values that are not finite, and wrong arguments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/network.hpp>

#include "nn/network_problem.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using ::testing::HasSubstr;

constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

NetworkOptions guard_options(Norm norm) {
    return {
        .inputs = 4,
        .hidden = {{.units = 10, .norm = norm, .activation = Activation::relu, .groups = 5, .ghost_size = 6},
                   {.units = 7, .norm = norm, .activation = Activation::sigmoid, .groups = 1}},
        .classes = 3,
        .max_batch = 16};
}

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

/// The message of the Diverged that `call` throws; empty when it throws none.
template <class Call>
std::string diverged_by(Call call) {
    try {
        call();
    } catch (const Diverged& diverged) {
        return diverged.what();
    }
    return "";
}

TEST(NetworkGuard, BadInputsChangeNothing) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : every_norm) {
        SCOPED_TRACE(name(norm));
        for (const Optimizer& optimizer : {Optimizer(Sgd{.momentum = 0.9f}), Optimizer(Adam{})}) {
            for (const float bad : {nan, infinity, -infinity}) {
                SCOPED_TRACE(bad);
                const NetworkOptions options = guard_options(norm);
                Network network(test_device(), options);
                network.set_optimizer(optimizer);
                (void)network.result(step(network, random_batch(random, options, 16)));
                const auto before = contents_of(network);

                Labelled batch = random_batch(random, options, 16);
                batch.inputs[5 * 4 + 2] = bad;
                const Ticket ticket = step(network, batch);
                // In flight before anyone knows.
                const Ticket later = step(network, random_batch(random, options, 16));
                EXPECT_THAT(diverged_by([&] { (void)network.result(later); }),
                            HasSubstr("step 2: input 2 of row 5"));
                EXPECT_THAT(diverged_by([&] { (void)network.result(ticket); }),
                            HasSubstr("step 2: input 2 of row 5"));
                EXPECT_EQ(contents_of(network), before);
                EXPECT_THAT(diverged_by([&] { (void)step(network, random_batch(random, options, 16)); }),
                            HasSubstr("refused: step 2"));
                EXPECT_EQ(contents_of(network), before);
            }
        }
    }
}

TEST(NetworkGuard, NamesTheFirstNodeAndUnit) {
    std::mt19937_64 random = random_generator();
    // Weights so large that a sum overflows.
    const auto overflow = [&](Norm norm, const char* name, size_t first, size_t count) {
        const NetworkOptions options = guard_options(norm);
        const Labelled batch = random_batch(random, options, 16);
        Network network(test_device(), options);
        std::vector<float> weights = network.tensor(name);
        std::fill_n(weights.begin() + static_cast<ptrdiff_t>(first), count, 3e38f);
        network.set_tensor(name, weights);
        Labelled ones = batch;
        std::fill(ones.inputs.begin(), ones.inputs.end(), 1.f);
        const auto before = contents_of(network);
        const std::string message = diverged_by([&] { (void)network.result(step(network, ones)); });
        EXPECT_EQ(contents_of(network), before);
        return message;
    };
    EXPECT_THAT(overflow(Norm::none, "0.linear.weight", 6 * 4, 4), HasSubstr("step 1: 0.linear, unit 6 "));
    EXPECT_THAT(overflow(Norm::batch, "0.linear.weight", 6 * 4, 4), HasSubstr("step 1: 0.norm, unit 6 "));
    EXPECT_THAT(overflow(Norm::none, "output.weight", 2 * 7, 7), HasSubstr("step 1: the logit of class 2 "));
}

constexpr Norm with_running_statistics[] = {Norm::batch, Norm::batch_renorm, Norm::ghost};

// The variance overflows, and the output is right: finite.
TEST(NetworkGuard, RunningStatisticsAreWatchedWithoutAGuard) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : with_running_statistics) {
        SCOPED_TRACE(name(norm));
        NetworkOptions options = guard_options(norm);
        options.guard = false;
        Network network(test_device(), options);
        Labelled batch = random_batch(random, options, 16);
        for (float& input : batch.inputs) input *= 1e25f;
        const auto before = contents_of(network);
        const Ticket ticket = step(network, batch);
        EXPECT_THAT(diverged_by([&] { (void)network.result(ticket); }), HasSubstr("0.norm, unit "));
        EXPECT_EQ(contents_of(network), before);
    }
}

TEST(NetworkGuard, RunningStatisticsRefuseABatchAndTheRunGoesOn) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : with_running_statistics) {
        SCOPED_TRACE(name(norm));
        const NetworkOptions options = guard_options(norm);
        Network network(test_device(), options);
        const Labelled good = random_batch(random, options, 16);
        EXPECT_EQ(network.result(step(network, good)).refused_batches, 0u);
        const auto before = contents_of(network);

        Labelled large = good;
        for (float& input : large.inputs) input *= 1e25f;
        const Ticket first = step(network, large), second = step(network, large);
        EXPECT_EQ(network.result(first).refused_batches, 1u);
        EXPECT_EQ(network.result(second).refused_batches, 2u);
        // Of every norm: a step is taken as a whole.
        for (const auto& [name, values] : contents_of(network)) {
            const bool running =
                name.find("running") != std::string::npos || name.find("num_batches") != std::string::npos;
            if (running) {
                EXPECT_EQ(values, before.at(name)) << name;
            }
        }
        EXPECT_NE(contents_of(network), before);

        const StepResult after = network.result(step(network, good));
        EXPECT_EQ(after.refused_batches, 2u);
        EXPECT_NE(network.tensor("1.norm.running_mean"), before.at("1.norm.running_mean"));
        const float counted = norm == Norm::ghost ? 3 : 1;
        EXPECT_EQ(network.tensor("0.norm.num_batches_tracked"), std::vector<float>{2 * counted});
    }
}

TEST(NetworkGuard, SetTensorStartsAgain) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = guard_options(Norm::batch);
    const Labelled good = random_batch(random, options, 16);
    Labelled bad = good;
    bad.inputs[0] = nan;
    for (const bool known : {true, false}) {
        SCOPED_TRACE(known);
        Network network(test_device(), options), sound(test_device(), options);
        network.set_optimizer(Adam{});
        sound.set_optimizer(Adam{});
        (void)step(network, good);
        (void)step(sound, good);
        Ticket ticket = 0;
        for (int i = 0; i < 3; ++i) ticket = step(network, bad);
        if (known) {
            EXPECT_THROW((void)network.result(ticket), Diverged);
        }
        network.set_tensor("0.linear.bias", network.tensor("0.linear.bias"));
        // As if the refused steps had not been, Adam's count of steps included.
        EXPECT_EQ(network.result(step(network, good)).loss, sound.result(step(sound, good)).loss);
        EXPECT_EQ(contents_of(network), contents_of(sound));
        EXPECT_EQ(network.steps(), 5u);
    }
}

TEST(NetworkGuard, LearningRatesThatExplodeEndInDiverged) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = guard_options(Norm::none);
    for (HiddenLayer& hidden : options.hidden) hidden.activation = Activation::identity;
    Network network(test_device(), options);
    network.set_optimizer(Sgd{.learning_rate = 1e18f});
    std::string text;
    for (int i = 0; i < 30 && text.empty(); ++i)
        text = diverged_by([&] { (void)network.result(step(network, random_batch(random, options, 16))); });
    EXPECT_THAT(text, HasSubstr("is not finite"));
    for (const auto& [name, values] : contents_of(network))
        for (const float value : values) EXPECT_TRUE(std::isfinite(value)) << name;
}

TEST(NetworkGuard, OneRowNeedsNoBatchStatistics) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = guard_options(Norm::batch);
    Network network(test_device(), options);
    const Labelled row = random_batch(random, options, 1);
    try {
        (void)step(network, row);
        FAIL() << "one row was accepted";
    } catch (const std::invalid_argument& error) {
        EXPECT_THAT(
            error.what(),
            HasSubstr("expected more than 1 value per channel when training, got input size [1, 10]"));
    }
    EXPECT_EQ(network.steps(), 0u);
    network.set_statistics(Statistics::running);
    EXPECT_EQ(network.result(step(network, row)).step, 1u);
    for (const Norm norm : {Norm::none, Norm::layer, Norm::group, Norm::rms}) {
        Network other(test_device(), guard_options(norm));
        EXPECT_EQ(other.result(step(other, row)).step, 1u) << name(norm);
    }
}

/// The message of the std::invalid_argument that `call` throws.
template <class Call>
std::string refused_by(Call call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(NetworkGuard, WrongArgumentsAreNamed) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = guard_options(Norm::batch);
    Network network(test_device(), options);
    const Labelled batch = random_batch(random, options, 16);
    const auto before = contents_of(network);

    EXPECT_THAT(
        refused_by([&] { (void)network.train_step(std::vector<float>(4 * 17), std::vector<uint32_t>(17)); }),
        HasSubstr("labels: got 17 rows, needs 1 to 16"));
    EXPECT_THAT(refused_by([&] { (void)network.train_step({}, {}); }), HasSubstr("got 0 rows"));
    EXPECT_THAT(refused_by([&] { (void)network.train_step(std::vector<float>(63), batch.labels); }),
                HasSubstr("inputs: got 63 values, needs 16 rows of 4 = 64"));
    Labelled wrong = batch;
    wrong.labels[7] = 3;
    EXPECT_THAT(refused_by([&] { (void)step(network, wrong); }),
                HasSubstr("labels[7]: got 3, needs below 3"));
    EXPECT_THAT(refused_by([&] { (void)network.evaluate(wrong.inputs, wrong.labels, Statistics::running); }),
                HasSubstr("network.evaluate: labels[7]"));
    EXPECT_THAT(
        refused_by([&] { (void)network.evaluate(batch.inputs, batch.labels, Statistics::running, 17); }),
        HasSubstr("chunk: got 17"));
    EXPECT_THAT(refused_by([&] { (void)network.evaluate({}, {}, Statistics::running); }),
                HasSubstr("got 0 rows"));
    EXPECT_THAT(refused_by([&] { (void)network.explain("9.norm", 4); }),
                HasSubstr("network.explain: node: got \"9.norm\""));
    EXPECT_THAT(refused_by([&] { (void)network.explain("0.norm", 17); }),
                HasSubstr("rows: got 17, needs 1 to 16"));
    EXPECT_THAT(refused_by([&] { (void)network.predict(std::vector<float>(5), Statistics::running); }),
                HasSubstr("got 5 values, needs a multiple of 4"));
    EXPECT_THAT(refused_by([&] { network.set_optimizer(Sgd{.learning_rate = nan}); }),
                HasSubstr("learning_rate"));
    EXPECT_THAT(refused_by([&] { network.set_batch_norm({.epsilon = -1}); }), HasSubstr("epsilon"));
    EXPECT_THAT(refused_by([&] { network.set_probes({{.node = "2.norm"}}); }),
                HasSubstr("network.set_probes: node: got \"2.norm\""));
    EXPECT_THAT(
        refused_by([&] { network.set_probes({{.node = "input", .tensor = Tensor::output_gradient}}); }),
        HasSubstr("network.set_probes: tensor: got the gradient of \"input\""));
    EXPECT_THAT(refused_by([&] {
                    network.set_probes({{.node = "1.norm", .options = {.unit = 3}},
                                        {.node = "1.norm", .options = {.unit = 3}}});
                }),
                HasSubstr("network.set_probes: probes: got \"1.norm.output[3]\" twice"));
    EXPECT_THAT(refused_by([&] { network.set_probes({{.node = "1.norm", .options = {.unit = 7}}}); }),
                HasSubstr("unit: got 7"));
    EXPECT_THAT(refused_by([&] { (void)network.tensor("2.linear.weight"); }), HasSubstr("2.linear.weight"));
    EXPECT_THAT(refused_by([&] { network.set_tensor("0.linear.bias", std::vector<float>(9)); }),
                HasSubstr("0.linear.bias: got 9 values, needs 10"));
    EXPECT_THAT(refused_by([&] {
                    network.set_tensor("output.bias", std::vector<float>{0, nan, 0});
                }),
                HasSubstr("output.bias[1]: got nan"));
    for (const float count : {-1.f, -5.5f, 0.5f, 0x1p63f, nan})
        EXPECT_THAT(
            refused_by([&] { network.set_tensor("0.norm.num_batches_tracked", std::vector<float>{count}); }),
            HasSubstr("needs a count: an integer from 0 on"));
    for (const float variance : {-1.f, -1e-45f, nan, std::numeric_limits<float>::infinity()}) {
        std::vector<float> variances(10, 1);
        variances[7] = variance;
        EXPECT_THAT(refused_by([&] { network.set_tensor("0.norm.running_var", variances); }),
                    HasSubstr("0.norm.running_var[7]: got "));
    }
    EXPECT_THAT(refused_by([&] { network.set_statistics(static_cast<Statistics>(2)); }),
                HasSubstr("network.set_statistics: statistics: got value 2"));
    EXPECT_THAT(refused_by([&] { (void)network.predict(batch.inputs, static_cast<Statistics>(-1)); }),
                HasSubstr("network.predict: statistics: got value -1"));
    EXPECT_THAT(
        refused_by([&] { (void)network.evaluate(batch.inputs, batch.labels, static_cast<Statistics>(2)); }),
        HasSubstr("network.evaluate: statistics: got value 2"));
    EXPECT_THAT(
        refused_by([&] { network.set_probes({{.node = "1.norm", .tensor = static_cast<Tensor>(3)}}); }),
        HasSubstr("network.set_probes: tensor: got value 3"));
    Network other(test_device(), network.options());
    EXPECT_THAT(refused_by([&] { (void)network.result(step(other, batch)); }),
                HasSubstr("network.result: ticket"));
    EXPECT_THAT(refused_by([&] { (void)network.timings(step(other, batch)); }), HasSubstr("another stream"));
    EXPECT_THAT(refused_by([&] { (void)network.reached(step(other, batch)); }), HasSubstr("another stream"));
    EXPECT_EQ(contents_of(network), before);
    EXPECT_EQ(network.result(step(network, batch)).step, 1u);
}

TEST(NetworkGuard, WrongArgumentsOfANormAreNamed) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions ghosts = guard_options(Norm::ghost);
    Network network(test_device(), ghosts);
    const auto before = contents_of(network);
    EXPECT_THAT(
        refused_by([&] { (void)step(network, random_batch(random, ghosts, 13)); }),
        HasSubstr("labels: got 13 rows, needs a number that leaves no single row for the last ghost of 6"));

    NetworkOptions limited = guard_options(Norm::batch_renorm);
    limited.renorm = [](uint64_t step) { return RenormLimits{step == 1 ? 0.5f : 2.f, -1}; };
    Network renormalized(test_device(), limited);
    const Labelled batch = random_batch(random, limited, 16);
    EXPECT_THAT(refused_by([&] { (void)step(renormalized, batch); }),
                HasSubstr("network.train_step: renorm: got r_max 0.5"));
    EXPECT_THAT(
        refused_by([&] { (void)renormalized.evaluate(batch.inputs, batch.labels, Statistics::batch); }),
        HasSubstr("network.evaluate: renorm"));
    EXPECT_EQ(network.steps() + renormalized.steps(), 0u);
    EXPECT_EQ(contents_of(network), before);
}

/// An operation knows rows and terms of sums; whoever made the network knows max_batch and nodes.
TEST(NetworkGuard, WhatAnOperationRefusesIsNamedAsTheNetworkHasIt) {
    const auto refused = [](const NetworkOptions& options) -> std::string {
        try {
            Network(test_device(), options);
        } catch (const std::exception& error) {
            return error.what();
        }
        return "nothing was thrown";
    };
    EXPECT_THAT(refused({.max_batch = 0xffffffff}),
                HasSubstr("network: max_batch: got 4294967295, needs fewer rows for \""));
    EXPECT_THAT(refused({.hidden = {{0xffffffff}}, .max_batch = 1}),
                HasSubstr("network: \"0.linear\": linear: "));
    EXPECT_THAT(refused({.classes = 1 << 20, .max_batch = 1}), HasSubstr("network: \"output\": "));
}

TEST(NetworkGuard, WrongSizesAreNamed) {
    const auto refused = [](NetworkOptions options) {
        return refused_by([&] { Network(test_device(), options); });
    };
    EXPECT_THAT(refused({.inputs = 0}), HasSubstr("graph: input: got shape {0}"));
    EXPECT_THAT(refused({.classes = 0}), HasSubstr("graph: output.units: got 0"));
    EXPECT_THAT(refused({.max_batch = 0}), HasSubstr("network: max_batch: got 0"));
    EXPECT_THAT(refused({.hidden = {{8}, {0}}}), HasSubstr("graph: 1.linear.units: got 0"));
    EXPECT_THAT(refused({.init_scale = nan}), HasSubstr("network: init_scale: got nan"));
    EXPECT_THAT(refused({.batch_norm = {.momentum = -1}}), HasSubstr("momentum"));
    EXPECT_THAT(refused({.hidden = {{8}, {.units = 20, .norm = Norm::group, .groups = 6}}}),
                HasSubstr("graph: 1.norm.groups: got 6, needs a divisor of its 20 units"));
    EXPECT_THAT(refused({.hidden = {{.norm = Norm::group, .groups = 0}}}),
                HasSubstr("graph: 0.norm.groups: got 0"));
    for (const uint32_t size : {0u, 1u})
        EXPECT_THAT(
            refused({.hidden = {{.norm = Norm::ghost, .ghost_size = size}}}),
            HasSubstr("graph: 0.norm.ghost_size: got " + std::to_string(size) + ", needs at least 2 rows"));
    EXPECT_THAT(
        refused({.hidden = {{.norm = Norm::batch_renorm}},
                 .batch_norm = {.momentum_form = Momentum::cumulative}}),
        HasSubstr("network: batch_norm.momentum_form: got cumulative, needs weighs_new or weighs_old"));
    EXPECT_THAT(refused({.hidden = {{.norm = Norm::batch_renorm}}, .batch_norm = {.epsilon = 0}}),
                HasSubstr("epsilon: got 0"));
    EXPECT_THAT(refused({.hidden = {{8}}, .renorm = nullptr}), HasSubstr("network: renorm: got no function"));
    // One weight matrix of 4 GiB.
    EXPECT_THROW(Network(test_device(), {.inputs = 1 << 15, .hidden = {{1 << 15}}}), std::exception);
}

}  // namespace
}  // namespace vknorm::testing
