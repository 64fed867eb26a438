// What a network does between its operations: seeds, switches, statistics, probes, evaluation, learning.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include <vknorm/network.hpp>

#include "nn/network_problem.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using reference::NetworkReference;
using reference::Step;
using reference::tensors_of;

NetworkOptions small_options(Norm norm = Norm::batch) {
    return {.inputs = 6,
            .hidden = {{20, norm, Activation::relu}, {13, norm, Activation::tanh}},
            .classes = 3,
            .max_batch = 24,
            .seed = 9};
}

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

bool is_norm(const std::string& name) {
    return name.find("norm") != std::string::npos;
}

TEST(Network, TwinsStartEqualWhateverTheNorms) {
    Network a(test_device(), small_options(Norm::batch)), b(test_device(), small_options(Norm::none));
    for (const std::string& name : b.tensor_names()) EXPECT_EQ(a.tensor(name), b.tensor(name)) << name;
    EXPECT_EQ(a.parameter_count(), b.parameter_count() + 2 * 20 + 2 * 13);
    EXPECT_EQ(b.parameter_count(), 6u * 20 + 20 + 20 * 13 + 13 + 13 * 3 + 3);
    NetworkOptions other = small_options();
    other.seed = 10;
    Network c(test_device(), other);
    EXPECT_NE(a.tensor("0.linear.weight"), c.tensor("0.linear.weight"));
}

TEST(Network, RunsRepeatBitByBit) {
    std::mt19937_64 random = random_generator();
    std::vector<Labelled> batches;
    for (int i = 0; i < 10; ++i) batches.push_back(random_batch(random, small_options(), 24));
    const auto run = [&] {
        Network network(test_device(), small_options());
        network.set_optimizer(Adam{});
        std::vector<float> losses;
        for (const Labelled& batch : batches) losses.push_back(network.result(step(network, batch)).loss);
        return std::pair(losses, contents_of(network));
    };
    const auto first = run();
    EXPECT_EQ(run(), first);
    std::printf("determinism of two training runs: same bits\n");
}

TEST(Network, ShorterBatchesTrainLikeTheReference) {
    std::mt19937_64 random = random_generator();
    Network network(test_device(), small_options());
    network.set_optimizer(Sgd{.learning_rate = 0.1f});
    NetworkReference reference(small_options(), tensors_of(network));
    for (const size_t rows : {24u, 5u, 24u, 2u, 5u}) {
        const Labelled batch = random_batch(random, small_options(), rows);
        const StepResult result = network.result(step(network, batch));
        EXPECT_NEAR(result.loss, reference.train(batch, {.sgd = {.learning_rate = 0.1f}}).loss, 1e-4) << rows;
    }
    EXPECT_EQ(network.steps(), 5u);
    EXPECT_EQ(network.tensor("0.norm.num_batches_tracked"), std::vector<float>{5});
}

TEST(Network, ReportsStatisticsAndProbesOfTheStep) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_options();
    // 2^-20: sixteen units in the last place of values around 1, after a dozen operations.
    const double bound = std::ldexp(1.0, -20);
    Network network(test_device(), options);
    network.set_optimizer(Sgd{.learning_rate = 0.1f});
    std::vector<NetworkProbe> probes;
    for (const Graph::Node& node : network.graph().nodes())
        for (const Tensor tensor : {Tensor::output, Tensor::output_gradient})
            for (const int32_t unit : {-1, 2})
                if (tensor == Tensor::output || node.name() != "input")
                    probes.push_back({.node = node.name(),
                                      .tensor = tensor,
                                      .options = {.bins = 16, .low = -3, .high = 3, .unit = unit}});
    network.set_probes(probes);
    const Labelled batch = random_batch(random, options, 24);
    NetworkReference reference(options, tensors_of(network));
    const Step expected = reference.train(batch, {.sgd = {.learning_rate = 0.1f}});
    const StepResult result = network.result(step(network, batch));

    ASSERT_EQ(result.statistics.size(), 2u);
    for (size_t layer = 0; layer < 2; ++layer) {
        const std::string norm = std::to_string(layer) + ".norm", name = norm + ".";
        const auto check = [&](const char* what, auto member, const reference::Values& values) {
            std::vector<float> got;
            for (const ChannelStatistics& channel : result.statistics.at(norm))
                got.push_back(channel.*member);
            expect_near(std::string("channel ") + what, got, values, bound);
        };
        check("batch mean", &ChannelStatistics::batch_mean, expected.norms.at(norm).mean);
        check("batch variance", &ChannelStatistics::batch_variance, expected.norms.at(norm).variance);
        check("running mean", &ChannelStatistics::running_mean, reference.tensors.at(name + "running_mean"));
        check("running variance", &ChannelStatistics::running_variance,
              reference.tensors.at(name + "running_var"));
        check("gamma", &ChannelStatistics::gamma, reference.tensors.at(name + "weight"));
        check("beta", &ChannelStatistics::beta, reference.tensors.at(name + "bias"));
    }

    ASSERT_EQ(result.probes.size(), probes.size());
    for (const NetworkProbe& probe : probes) {
        SCOPED_TRACE(probe.name());
        const ProbeResult& got = result.probes.at(probe.name());
        const bool gradient = probe.tensor == Tensor::output_gradient;
        const reference::Values& tensor =
            (gradient ? expected.output_gradient : expected.output).at(probe.node);
        const size_t units = tensor.size() / 24;
        reference::Values values;
        for (size_t at = 0; at < tensor.size(); ++at)
            if (probe.options.unit < 0 || at % units == static_cast<size_t>(probe.options.unit))
                values.push_back(tensor[at]);
        std::sort(values.begin(), values.end());
        const double mean =
            std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        EXPECT_NEAR(got.minimum, values.front(), bound);
        EXPECT_NEAR(got.maximum, values.back(), bound);
        EXPECT_NEAR(got.mean, mean, bound);
        const auto& histogram = got.histogram;
        EXPECT_EQ(std::accumulate(histogram.begin(), histogram.end(), size_t{0}), values.size());
        const double median = (values[values.size() / 2 - 1] + values[values.size() / 2]) / 2;
        if (probe.options.unit >= 0) {
            EXPECT_NEAR(got.percentile50, median, bound);
        }
    }
}

TEST(Network, SwitchesDoWhatTheySay) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    const auto changed = [&](auto prepare) {
        Network network(test_device(), small_options());
        (void)network.result(
            step(network, batch));  // so that running statistics differ from batch statistics
        prepare(network);
        const auto before = contents_of(network);
        const StepResult result = network.result(step(network, batch));
        const auto after = contents_of(network);
        std::vector<std::string> names;
        for (const auto& [name, values] : after)
            if (values != before.at(name)) names.push_back(name);
        return std::pair(names, result);
    };
    const auto count = [](const std::vector<std::string>& names, auto which) {
        return std::count_if(names.begin(), names.end(), which);
    };
    // Not the biases: before a norm their gradient is zero, but for rounding.
    const auto linear = [](const std::string& name) { return !is_norm(name) && name.ends_with("weight"); };
    const auto running = [](const std::string& name) {
        return name.find("running") != std::string::npos || name.ends_with("tracked");
    };
    const auto affine = [&](const std::string& name) { return is_norm(name) && !running(name); };

    const auto [usual, usual_result] = changed([](Network&) {});
    EXPECT_EQ(count(usual, linear), 3);
    EXPECT_EQ(count(usual, running), 6);
    EXPECT_EQ(count(usual, affine), 4);

    const auto [still, still_result] = changed([](Network& network) { network.set_update_running(false); });
    EXPECT_EQ(count(still, running), 0);
    EXPECT_EQ(count(still, affine), 4);
    EXPECT_EQ(still_result.loss, usual_result.loss);

    const auto [fixed, fixed_result] = changed([](Network& network) { network.set_train_affine(false); });
    EXPECT_EQ(count(fixed, affine), 0);
    EXPECT_EQ(count(fixed, linear), 3);
    EXPECT_EQ(fixed_result.loss, usual_result.loss);
    EXPECT_LT(fixed_result.gradient_norm, usual_result.gradient_norm);

    const auto [frozen, frozen_result] =
        changed([](Network& network) { network.set_statistics(Statistics::running); });
    EXPECT_EQ(count(frozen, running), 0);
    EXPECT_EQ(count(frozen, affine), 4);
    EXPECT_NE(frozen_result.loss, usual_result.loss);
    EXPECT_TRUE(std::isnan(frozen_result.statistics.at("0.norm")[0].batch_mean));
    EXPECT_FALSE(std::isnan(frozen_result.statistics.at("0.norm")[0].running_mean));
}

TEST(Network, ConventionsChangeBetweenSteps) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    Network network(test_device(), small_options());
    network.set_optimizer(Sgd{.learning_rate = 0});
    const std::vector<ChannelStatistics> first = network.result(step(network, batch)).statistics.at("0.norm");
    EXPECT_NEAR(first[3].running_mean, 0.1f * first[3].batch_mean, 1e-6);
    EXPECT_NEAR(first[3].running_variance, 0.9f + 0.1f * first[3].batch_variance * 24 / 23, 1e-5);

    BatchNormConvention convention = BatchNormConvention::keras();
    convention.momentum = 0;
    network.set_batch_norm(convention);
    const std::vector<ChannelStatistics> second =
        network.result(step(network, batch)).statistics.at("0.norm");
    EXPECT_NEAR(second[3].running_mean, second[3].batch_mean, 1e-6);
    EXPECT_NEAR(second[3].running_variance, second[3].batch_variance, 1e-5);
    EXPECT_EQ(network.options().batch_norm.epsilon, 1e-3f);
    EXPECT_THROW(network.set_batch_norm({.momentum = 2}), std::invalid_argument);

    // The plain average over all batches since the counter was set to 0.
    network.set_batch_norm({.momentum_form = Momentum::cumulative});
    network.set_tensor("0.norm.num_batches_tracked", std::vector<float>{0});
    const std::vector<ChannelStatistics> third = network.result(step(network, batch)).statistics.at("0.norm");
    EXPECT_NEAR(third[3].running_mean, third[3].batch_mean, 1e-6);
    EXPECT_EQ(network.tensor("0.norm.num_batches_tracked"), std::vector<float>{1});
}

TEST(Network, EvaluatesLikeTheReference) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_options();
    Network network(test_device(), options);
    for (int i = 0; i < 5; ++i) (void)step(network, random_batch(random, options, 24));
    const auto before = contents_of(network);
    const Labelled set = random_batch(random, options, 61);
    NetworkReference reference(options, tensors_of(network));

    const auto expected = [&](Statistics statistics, size_t chunk) {
        Evaluation sum;
        for (size_t first = 0; first < set.labels.size(); first += chunk) {
            const size_t rows = std::min(chunk, set.labels.size() - first);
            const auto inputs = set.inputs.begin() + static_cast<ptrdiff_t>(first * options.inputs);
            const auto labels = set.labels.begin() + static_cast<ptrdiff_t>(first);
            const Labelled part{{inputs, inputs + static_cast<ptrdiff_t>(rows * options.inputs)},
                                {labels, labels + static_cast<ptrdiff_t>(rows)}};
            const Step step = reference.measure(part, {.statistics = statistics});
            const double share = static_cast<double>(rows) / static_cast<double>(set.labels.size());
            sum.loss += step.loss * share;
            sum.accuracy += step.accuracy * share;
        }
        return sum;
    };
    for (const Statistics statistics : {Statistics::running, Statistics::batch}) {
        for (const uint32_t chunk : {0u, 24u, 10u, 2u, 1u}) {
            SCOPED_TRACE(chunk);
            const Evaluation got = network.evaluate(set.inputs, set.labels, statistics, chunk);
            const Evaluation wanted = expected(statistics, chunk == 0 ? 24 : chunk);
            EXPECT_NEAR(got.loss, wanted.loss, 2e-4);
            EXPECT_NEAR(got.accuracy, wanted.accuracy, 1e-9);
        }
    }
    const Step whole = reference.measure(set, {.statistics = Statistics::running});
    expect_near("predicted probability", network.predict(set.inputs, Statistics::running),
                whole.probabilities, 1e-6);
    EXPECT_EQ(contents_of(network), before);
}

TEST(Network, EvaluationLeavesNoTrace) {
    std::mt19937_64 random = random_generator();
    const NetworkOptions options = small_options();
    Network evaluated(test_device(), options), left_alone(test_device(), options);
    for (int i = 0; i < 3; ++i) {
        const Labelled batch = random_batch(random, options, 24), other = random_batch(random, options, 40);
        (void)step(evaluated, batch);
        (void)step(left_alone, batch);
        (void)evaluated.evaluate(other.inputs, other.labels, Statistics::batch);
        (void)evaluated.predict(other.inputs, Statistics::running);
    }
    EXPECT_EQ(contents_of(evaluated), contents_of(left_alone));
}

TEST(Network, TensorsComeBackAsTheyWereSet) {
    std::mt19937_64 random = random_generator();
    Network network(test_device(), small_options());
    std::map<std::string, std::vector<float>> values;
    for (const std::string& name : network.tensor_names()) {
        values[name] = random_floats(random, network.tensor(name).size(), 0.5f, 1.5f);
        if (name.ends_with("tracked")) values[name] = {7};
        network.set_tensor(name, values[name]);
    }
    EXPECT_EQ(contents_of(network), values);
    // A network with the same tensors and batches goes the same way.
    const Labelled batch = random_batch(random, small_options(), 24);
    Network other(test_device(), small_options());
    for (const auto& [name, contents] : values) other.set_tensor(name, contents);
    EXPECT_EQ(network.result(step(network, batch)).loss, other.result(step(other, batch)).loss);
    EXPECT_EQ(contents_of(network), contents_of(other));
}

TEST(Network, CountersAreExactIntegers) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    Network network(test_device(), small_options());
    const std::vector<std::string> names = {"steps", "0.norm.num_batches_tracked",
                                            "1.norm.num_batches_tracked"};
    EXPECT_EQ(network.counter_names(), names);
    constexpr int64_t large = (int64_t{1} << 53) + 1;  // neither float32 nor float64 has it
    for (const int64_t count : {int64_t{0}, int64_t{16777217}, large, std::numeric_limits<int64_t>::max()})
        for (const std::string& name : names) {
            network.set_counter(name, count);
            EXPECT_EQ(network.counter(name), count);
        }
    for (const std::string& name : names) network.set_counter(name, large);
    EXPECT_EQ(network.result(step(network, batch)).step, static_cast<uint64_t>(large + 1));
    for (const std::string& name : names) EXPECT_EQ(network.counter(name), large + 1);
    EXPECT_EQ(network.steps(), static_cast<uint64_t>(large + 1));

    // As float32, a counter is exact or refused.
    network.set_tensor(names[1], std::vector<float>{16777216});
    (void)step(network, batch);
    EXPECT_EQ(network.counter(names[1]), 16777217);
    EXPECT_EQ(refusal([&] { (void)network.tensor(names[1]); }),
              "network.tensor: 0.norm.num_batches_tracked: got 16777217, which float32 does not hold, needs "
              "counter(), for integers");
    network.set_counter(names[1], int64_t{1} << 40);
    EXPECT_EQ(network.tensor(names[1]), std::vector<float>{0x1p40f});

    EXPECT_EQ(refusal([&] { network.set_counter("steps", -1); }),
              "network.set_counter: steps: got -1, needs an integer from 0 on");
    EXPECT_EQ(refusal([&] { (void)network.counter("0.norm.weight"); }),
              "network.counter: name: got \"0.norm.weight\", needs one of counter_names()");
}

TEST(Network, StepsCountOnFromWhatTheyWereSetTo) {
    std::mt19937_64 random = random_generator();
    std::vector<uint64_t> asked;
    NetworkOptions options = small_options(Norm::batch_renorm);
    options.renorm = [&asked](uint64_t step) {
        asked.push_back(step);
        return RenormLimits{};
    };
    Network network(test_device(), options);
    const Labelled batch = random_batch(random, options, 24);
    for (const uint64_t start : {0u, 1001u, 6u, 7u}) {
        network.set_counter("steps", static_cast<int64_t>(start));
        for (uint64_t i = 1; i <= 6; ++i) {
            const Ticket ticket = step(network, batch);
            EXPECT_EQ(asked.back(), start + i);
            EXPECT_EQ(network.result(ticket).step, start + i);
            EXPECT_TRUE(network.reached(ticket));
        }
    }
}

TEST(Network, KeepsTheFourLatestResults) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    Network network(test_device(), small_options());
    std::vector<Ticket> tickets;
    for (int i = 0; i < 9; ++i) tickets.push_back(step(network, batch));
    for (const size_t i : {8u, 5u, 7u, 6u}) EXPECT_EQ(network.result(tickets[i]).step, i + 1);
    EXPECT_THROW((void)network.result(tickets[4]), std::invalid_argument);
    EXPECT_THROW((void)network.result(0), std::invalid_argument);
    EXPECT_LT(network.result(tickets[8]).loss, network.result(tickets[5]).loss);
}

TEST(Network, ChangingTheKindOfOptimizerForgetsItsState) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    Network a(test_device(), small_options()), b(test_device(), small_options());
    a.set_optimizer(Sgd{.learning_rate = 0, .momentum = 0.9f});
    (void)a.result(step(a, batch));
    for (const Optimizer& optimizer : {Optimizer(Adam{}), Optimizer(Sgd{.momentum = 0.9f})}) {
        a.set_optimizer(optimizer);
        b.set_optimizer(optimizer);
    }
    for (int i = 0; i < 2; ++i) {
        (void)step(a, batch);
        (void)step(b, batch);
    }
    EXPECT_EQ(a.tensor("0.linear.weight"), b.tensor("0.linear.weight"));
}

TEST(Network, MovesWithStepsInFlight) {
    std::mt19937_64 random = random_generator();
    const Labelled batch = random_batch(random, small_options(), 24);
    Network network(test_device(), small_options());
    (void)step(network, batch);
    Network moved = std::move(network);
    const Ticket ticket = step(moved, batch);
    EXPECT_EQ(moved.result(ticket).step, 2u);
    moved = Network(test_device(), small_options(Norm::none));
    EXPECT_EQ(moved.steps(), 0u);
}

TEST(Network, MeasuresWhereTheTimeGoes) {
    std::mt19937_64 random = random_generator();
    NetworkOptions options = small_options();
    options.timestamps = true;
    Network network(test_device(), options);
    const Ticket ticket = step(network, random_batch(random, options, 24));
    (void)network.result(ticket);
    const std::vector<Timing> timings = network.timings(ticket);
    if (test_device().capabilities().timestamp_period_ns == 0) GTEST_SKIP() << "the queue has no timestamps";
    std::vector<std::string> labels;
    for (const Timing& timing : timings) labels.push_back(timing.label);
    for (const char* label : {"0.linear forward", "1.norm forward", "1.activation backward",
                              "0.linear backward", "loss", "optimizer"})
        EXPECT_EQ(std::count(labels.begin(), labels.end(), label), 1) << label;

    network.set_timestamps(false);
    const Ticket unmeasured = step(network, random_batch(random, options, 24));
    (void)network.result(unmeasured);
    EXPECT_TRUE(network.timings(unmeasured).empty());
    EXPECT_EQ(network.timings(ticket).size(), timings.size()) << "of the step before";
}

// Norms make digits easy to learn in few steps; a plain twin of this depth is behind.
TEST(Network, LearnsDigitsInFewSteps) {
    if (test_device().capabilities().max_storage_buffer_range < 4 * 784 * 32)
        GTEST_SKIP() << "the weights need a storage buffer range of " << 4 * 784 * 32 << " bytes";
    const auto [train, test] = split(make_digits(1000, 3), 700, 1);
    const auto accuracy = [&train = train, &test = test](Norm norm) {
        const HiddenLayer layer{32, norm, Activation::sigmoid};
        Network network(test_device(),
                        {.inputs = 784, .hidden = {layer, layer}, .classes = 10, .max_batch = 50, .seed = 2});
        network.set_optimizer(Sgd{.learning_rate = 0.5f});
        BatchOrder order(train.size(), 50, 3);
        for (int i = 0; i < 100; ++i) (void)step(network, take(train, order));
        return network.evaluate(test.inputs, test.labels, Statistics::running).accuracy;
    };
    const double normalized = accuracy(Norm::batch), plain = accuracy(Norm::none);
    std::printf("accuracy after 100 steps: batch norm %.3f, plain %.3f\n", normalized, plain);
    EXPECT_GT(normalized, 0.5);
    EXPECT_GT(normalized, plain + 0.2);
}

}  // namespace
}  // namespace vknorm::testing
