// Ranks that train one network together: what they exchange, and that they do what one process does with
// the rows of all.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/ranks.hpp"
#include "reference/bounded_run.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::BoundedRun;
using reference::Labelled;

using Contents = std::map<std::string, std::vector<float>>;

struct Trained {
    std::vector<StepResult> steps;
    Contents contents;
};

Trained run_alone(const Graph& graph, NetworkOptions options, const Optimizer& optimizer,
                  const std::vector<Labelled>& batches) {
    options.hidden.clear();
    Network network(test_device(), graph, options);
    network.set_optimizer(optimizer);
    Trained run;
    for (const Labelled& batch : batches) run.steps.push_back(network.result(step(network, batch)));
    run.contents = contents_of(network);
    return run;
}

/// The same of every rank, each on its own rows.
std::vector<Trained> run_shared(const std::vector<Device*>& devices, const Graph& graph,
                                NetworkOptions options, const Optimizer& optimizer,
                                const std::vector<Labelled>& batches, const Shards& shards) {
    std::vector<Trained> runs(shards.size());
    run_ranks(static_cast<uint32_t>(shards.size()), [&](Exchange& exchange) {
        NetworkOptions own = options;
        own.exchange = &exchange;
        own.hidden.clear();
        own.compare_every = 1;
        Network network(*devices[exchange.rank() % devices.size()], graph, own);
        network.set_optimizer(optimizer);
        Trained& run = runs[exchange.rank()];
        for (const Labelled& batch : batches)
            run.steps.push_back(network.result(step(network, shard_of(batch, shards, exchange.rank()))));
        run.contents = contents_of(network);
    });
    return runs;
}

/// The run in float64, of the parameters that a network has at first.
BoundedRun in_float64(const Graph& graph, NetworkOptions options, const Optimizer& optimizer,
                      const std::vector<Labelled>& batches) {
    options.hidden.clear();
    Network start(test_device(), graph, options);
    return bounded_run({graph, options.batch_norm, reference::tensors_of(start)}, batches,
                       {.sgd = std::get<Sgd>(optimizer), .class_weights = options.class_weights});
}

/// Each may stray from float64.
void expect_near_tensors(const char* what, const Contents& got, const Contents& expected,
                         const BoundedRun& float64) {
    for (const auto& [name, exact] : float64.tensors) {
        const std::vector<float>& values = expected.at(name);
        reference::Values bounds = exact.bounds;
        for (double& bound : bounds) bound *= 2;
        expect_near(what, got.at(name), reference::Values(values.begin(), values.end()), bounds);
    }
}

void expect_near_run(const char* what, const Trained& got, const Trained& expected,
                     const BoundedRun& float64) {
    ASSERT_EQ(got.steps.size(), expected.steps.size());
    for (size_t i = 0; i < got.steps.size(); ++i) {
        const StepResult &mine = got.steps[i], &its = expected.steps[i];
        expect_near(what, std::vector{mine.loss}, std::vector{double{its.loss}},
                    2 * float64.losses.bounds[i]);
        expect_near(what, std::vector{mine.gradient_norm}, std::vector{double{its.gradient_norm}},
                    2 * float64.gradient_norms.bounds[i]);
        EXPECT_NEAR(mine.accuracy, its.accuracy, 1e-6);
    }
    expect_near_tensors(what, got.contents, expected.contents, float64);
    for (const auto& [name, values] : expected.contents)
        if (!float64.tensors.contains(name)) {
            EXPECT_EQ(got.contents.at(name), values) << name;
        }
}

const std::vector<Shards> all_shards = {{24},        {12, 12},     {17, 7},      {8, 8, 8},
                                        {13, 0, 11}, {6, 6, 6, 6}, {1, 14, 0, 9}};

TEST(Exchange, RanksAreLikeOneWithTheRowsOfAll) {
    const NetworkOptions options = shared_options();
    const Graph graph = perceptron(options);
    const std::vector<Labelled> batches = batches_for(options, 24);
    for (const Optimizer& optimizer : {Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f}),
                                       Optimizer(AdamW{.learning_rate = 0.001f})}) {
        const Trained alone = run_alone(graph, options, optimizer, batches);
        for (const Shards& shards : all_shards) {
            SCOPED_TRACE(::testing::PrintToString(shards));
            const std::vector<Trained> ranks =
                run_shared({&test_device()}, graph, options, optimizer, batches, shards);
            // With as good as no gradient, which way Adam steps is a matter of rounding.
            if (std::holds_alternative<Sgd>(optimizer))
                expect_near_run("ranks", ranks[0], alone, in_float64(graph, options, optimizer, batches));
            for (const Trained& rank : ranks) {
                EXPECT_EQ(rank.contents, ranks[0].contents) << "the same bits on all ranks";
                EXPECT_EQ(rank.steps.back().loss, ranks[0].steps.back().loss);
                EXPECT_EQ(rank.steps.back().gradient_norm, ranks[0].steps.back().gradient_norm);
            }
        }
    }
}

// As torch.nn.SyncBatchNorm has it: statistics of all rows, the running variance unbiased by their number.
TEST(Exchange, RanksAreLikeTheReferenceWithTheRowsOfAll) {
    const NetworkOptions options = shared_options();
    const std::vector<Labelled> batches = batches_for(options, 24);
    const Sgd sgd{.learning_rate = 0.1f, .momentum = 0.9f};
    const BoundedRun expected = in_float64(perceptron(options), options, sgd, batches);
    for (const Shards& shards : {Shards{12, 12}, Shards{17, 7}, Shards{13, 0, 11}}) {
        const std::vector<Trained> ranks =
            run_shared({&test_device()}, perceptron(options), options, sgd, batches, shards);
        std::vector<float> losses, gradient_norms;
        for (const StepResult& step : ranks[0].steps) {
            losses.push_back(step.loss);
            gradient_norms.push_back(step.gradient_norm);
        }
        expect_near("ranks, float64", losses, expected.losses);
        expect_near("ranks, float64", gradient_norms, expected.gradient_norms);
        for (const auto& [name, exact] : expected.tensors)
            expect_near("ranks, float64", ranks[0].contents.at(name), exact);
    }
}

TEST(Exchange, RanksAreLikeOneWithTheRowsOfAllOnMaps) {
    Graph graph({2, 5, 5});
    NodeId x = graph.conv2d(graph.input(), {.channels = 4, .kernel = 3, .padding = 1, .bias = false});
    x = graph.activation(graph.norm(x, {.name = "norm"}), Activation::relu);
    const NodeId branch = graph.norm(graph.conv2d(x, {.channels = 4, .kernel = 3, .padding = 1}));
    x = graph.activation(graph.add(x, branch), Activation::relu);
    graph.linear(graph.flatten(graph.adaptive_average_pool2d(x)), {.units = 3});
    const NetworkOptions options{.max_batch = 12, .class_weights = {1, 2, 0.5f}};
    const std::vector<Labelled> batches = batches_for({.inputs = 50, .classes = 3}, 12, 2);
    const Optimizer optimizer = Sgd{.learning_rate = 0.1f};
    const Trained alone = run_alone(graph, options, optimizer, batches);
    const BoundedRun float64 = in_float64(graph, options, optimizer, batches);
    for (const Shards& shards : {Shards{7, 5}, Shards{11, 0, 1}})
        for (const Trained& rank : run_shared({&test_device()}, graph, options, optimizer, batches, shards))
            expect_near_run("ranks, maps", rank, alone, float64);
}

// Then a rank is a micro-batch, whatever its rows.
TEST(Exchange, RanksAreMicroBatchesBitForBit) {
    const NetworkOptions options = shared_options();
    Graph graph({6});
    NodeId x = graph.linear(graph.input(), {.units = 16});
    x = graph.activation(graph.norm(x, {.kind = Norm::layer}), Activation::relu);
    graph.linear(graph.dropout(x, {.p = 0.25f}), {.units = 3});
    const std::vector<Labelled> batches = batches_for(options, 22);
    const Optimizer optimizer = Sgd{.learning_rate = 0.1f, .momentum = 0.9f};
    for (const Shards& shards : {Shards{11, 11}, Shards{8, 7, 7}, Shards{6, 6, 5, 5}}) {
        NetworkOptions accumulating = options;
        accumulating.accumulate = static_cast<uint32_t>(shards.size());
        const Trained alone = run_alone(graph, accumulating, optimizer, batches);
        for (const Trained& rank : run_shared({&test_device()}, graph, options, optimizer, batches, shards))
            EXPECT_EQ(rank.contents, alone.contents) << shards.size() << " ranks";
    }
}

TEST(Exchange, MicroBatchesOfRanksAreNormalizedTogether) {
    NetworkOptions options = shared_options();
    options.accumulate = 2;
    const Graph graph = perceptron(options);
    const std::vector<Labelled> batches = batches_for(options, 24);
    // One process has to see each micro-batch whole: the ranks' first halves, then their second halves.
    std::vector<Labelled> reordered = batches;
    for (Labelled& batch : reordered) {
        const Labelled all = batch;
        batch = {};
        for (const uint32_t first : {0u, 12u, 6u, 18u}) {
            const Labelled part = shard_of(all, {first, 6, 18 - first}, 1);
            batch.inputs.insert(batch.inputs.end(), part.inputs.begin(), part.inputs.end());
            batch.labels.insert(batch.labels.end(), part.labels.begin(), part.labels.end());
        }
    }
    const Optimizer optimizer = Sgd{.learning_rate = 0.1f};
    const Trained alone = run_alone(graph, options, optimizer, reordered);
    // The reference does not accumulate: a run on the first halves strays farther, as fewer rows do.
    std::vector<Labelled> halves;
    for (const Labelled& batch : reordered) halves.push_back(shard_of(batch, {12, 12}, 0));
    const BoundedRun float64 = in_float64(graph, options, optimizer, halves);
    for (const Trained& rank : run_shared({&test_device()}, graph, options, optimizer, batches, {12, 12}))
        expect_near_run("ranks that accumulate", rank, alone, float64);
}

// A rank for a group, and its statistics are its own: as ghost batches.
TEST(Exchange, GroupsHaveStatisticsOfTheirOwn) {
    NetworkOptions options = shared_options(), ghosts = shared_options(Norm::ghost);
    for (HiddenLayer& layer : ghosts.hidden) layer.ghost_size = 12;
    options.statistics_group = 2;
    const std::vector<Labelled> batches = batches_for(options, 24);
    const Optimizer optimizer = Sgd{.learning_rate = 0.1f};
    Trained alone = run_alone(perceptron(ghosts), ghosts, optimizer, batches);
    std::vector<Trained> ranks =
        run_shared({&test_device()}, perceptron(options), options, optimizer, batches, {5, 7, 6, 6});
    EXPECT_EQ(ranks[3].contents, ranks[0].contents);
    BoundedRun float64 = in_float64(perceptron(ghosts), ghosts, optimizer, batches);
    // Ghosts update running statistics one after the other.
    const auto is_of_ghosts = [](const auto& tensor) {
        return tensor.first.find("running") != std::string::npos ||
               tensor.first.find("num_batches") != std::string::npos;
    };
    std::erase_if(alone.contents, is_of_ghosts);
    std::erase_if(float64.tensors, is_of_ghosts);
    expect_near_run("groups of ranks", ranks[0], alone, float64);
}

/// Passes everything on, and remembers where it was.
class Recording final : public Exchange {
  public:
    explicit Recording(Exchange& exchange) : exchange_(exchange) {}
    uint32_t rank() const override { return exchange_.rank(); }
    uint32_t size() const override { return exchange_.size(); }
    std::vector<Message> trade(std::span<const MessageView> messages) override {
        const MessageView sent = messages[1 - rank()];
        const std::string where(reinterpret_cast<const char*>(sent.data()));
        log.push_back(where + ": " + std::to_string(sent.size() - 128) + " bytes");
        return exchange_.trade(messages);
    }
    void abort(const std::string& why) noexcept override { exchange_.abort(why); }

    std::vector<std::string> log;

  private:
    Exchange& exchange_;
};

TEST(Exchange, SeesEveryHookInOrder) {
    const std::vector<Labelled> batches = batches_for(shared_options(), 24, 1);
    run_ranks(2, [&](Exchange& exchange) {
        Recording recording(exchange);
        NetworkOptions options = shared_options();
        options.exchange = &recording;
        options.compare_every = 0;
        Network network(test_device(), options);
        const Labelled own = shard_of(batches[0], {12, 12}, exchange.rank());
        const auto log_of_step = [&] {
            recording.log.clear();
            (void)network.result(step(network, own));
            return recording.log;
        };
        // Tensors in whole steps of 256 bytes: weights 6 x 20, 20, 20 x 13, 13, 13 x 3, 3; gamma and beta.
        // Half of them to the other rank, and the other half of the sum.
        const std::string weights = std::to_string((512 + 256 + 1280 + 256 + 256 + 256) / 2),
                          all = std::to_string((512 + 256 + 1280 + 256 + 256 + 256 + 4 * 256) / 2);
        // Sums, and a word for each of eight nodes.
        EXPECT_EQ(log_of_step(),
                  (std::vector<std::string>{
                      "step 1, begin: 16 bytes", "step 1, 0.norm forward: 320 bytes",
                      "step 1, 1.norm forward: 208 bytes", "step 1, 1.norm backward: 208 bytes",
                      "step 1, 0.norm backward: 320 bytes", "step 1, gradient: " + all + " bytes",
                      "step 1, gradient: " + all + " bytes", "step 1, losses: 56 bytes"}));
        network.set_train_affine(false);
        network.set_statistics(Statistics::running);
        EXPECT_EQ(log_of_step(), (std::vector<std::string>{
                                     "step 2, begin: 16 bytes", "step 2, gradient: " + weights + " bytes",
                                     "step 2, gradient: " + weights + " bytes", "step 2, losses: 56 bytes"}));
        recording.log.clear();
        (void)network.predict(own.inputs, Statistics::running);
        EXPECT_THAT(recording.log, ::testing::IsEmpty());
    });
}

TEST(Exchange, AStepWithoutOneIsOneSubmission) {
    Network network(test_device(), shared_options());
    const Labelled batch = batches_for(network.options(), 24, 1)[0];
    const Ticket first = step(network, batch);
    EXPECT_EQ(step(network, batch), first + 1);
}

TEST(Exchange, EvaluationAndPreciseStatisticsAreOfAllRanks) {
    const NetworkOptions options = shared_options();
    const Labelled set = batches_for(options, 40, 1)[0];
    Network alone(test_device(), options);
    alone.recompute_running_statistics(set.inputs);
    const Evaluation expected = alone.evaluate(set.inputs, set.labels, Statistics::running);
    for (const Shards& shards : {Shards{20, 20}, Shards{39, 0, 1}}) {
        std::vector<Evaluation> got(shards.size());
        std::vector<Contents> contents(shards.size());
        run_ranks(static_cast<uint32_t>(shards.size()), [&](Exchange& exchange) {
            NetworkOptions own = options;
            own.exchange = &exchange;
            Network network(test_device(), own);
            const Labelled shard = shard_of(set, shards, exchange.rank());
            network.recompute_running_statistics(shard.inputs);
            got[exchange.rank()] = network.evaluate(shard.inputs, shard.labels, Statistics::running, 7);
            contents[exchange.rank()] = contents_of(network);
        });
        for (size_t r = 0; r < got.size(); ++r) {
            EXPECT_EQ(got[r].loss, got[0].loss);
            EXPECT_EQ(got[r].accuracy, got[0].accuracy);
            EXPECT_EQ(contents[r], contents[0]);
        }
        if (shards[0] == 39) continue;  // parts are normalized by their own statistics in deeper layers
        EXPECT_NEAR(got[0].loss, expected.loss, 0.05);
    }
}

TEST(Exchange, FewBatchesJoinThoseWhoHaveMore) {
    const NetworkOptions options = shared_options();
    const std::vector<Labelled> batches = batches_for(options, 24, 4);
    std::vector<Contents> contents(3);
    std::vector<uint64_t> joined(3);
    run_ranks(3, [&](Exchange& exchange) {
        NetworkOptions own = options;
        own.exchange = &exchange;
        own.compare_every = 2;
        Network network(test_device(), own);
        for (size_t i = 0; i < batches.size() - exchange.rank(); ++i) {
            network.set_learning_rate(0.1f / static_cast<float>(i + 1));
            step(network, shard_of(batches[i], {8, 8, 8}, exchange.rank()));
        }
        joined[exchange.rank()] = network.join();
        EXPECT_EQ(network.steps(), batches.size());
        contents[exchange.rank()] = contents_of(network);
    });
    EXPECT_EQ(joined, (std::vector<uint64_t>{0, 1, 2}));
    EXPECT_EQ(contents[1], contents[0]);
    EXPECT_EQ(contents[2], contents[0]);
}

TEST(Exchange, ACheckpointGoesOnWithAnotherNumberOfRanks) {
    const NetworkOptions options = shared_options();
    const Graph graph = perceptron(options);
    const Optimizer optimizer = Sgd{.learning_rate = 0.1f, .momentum = 0.9f};
    const std::vector<Labelled> batches = batches_for(options, 24, 4);
    const Trained whole = run_alone(graph, options, optimizer, batches);
    HostTensors saved;
    const auto part = [&](const Shards& shards, size_t first) {
        run_ranks(static_cast<uint32_t>(shards.size()), [&](Exchange& exchange) {
            NetworkOptions own = options;
            own.exchange = &exchange;
            own.hidden.clear();
            own.seed += exchange.rank();  // rank 0's state is that of all
            Network network(test_device(), graph, own);
            network.set_optimizer(optimizer);
            if (!saved.empty() && exchange.rank() == 0) network.set_state(saved);
            network.share_state();
            for (size_t i = first; i < first + 2; ++i)
                step(network, shard_of(batches[i], shards, exchange.rank()));
            HostTensors state = network.state();
            if (exchange.rank() == 0) saved = std::move(state);
        });
    };
    part({13, 11}, 0);
    part({8, 0, 16}, 2);
    Contents resumed;
    const BoundedRun float64 = in_float64(graph, options, optimizer, batches);
    for (const auto& [name, exact] : float64.tensors) resumed[name] = saved.at(name).floats();
    expect_near_tensors("ranks, resumed", resumed, whole.contents, float64);
    EXPECT_EQ(saved.at("training/steps").integers().at(0), 4);
}

// A lavapipe and a SwiftShader here, an AMD and an NVIDIA card elsewhere.
TEST(Exchange, DevicesOfSeveralVendorsTrainTogether) {
    std::vector<Device> devices;
    for (const DeviceInfo& info : enumerate_devices()) {
        if (!info.rejected.empty()) continue;
        DeviceOptions options = test_device_options();
        options.select = info.uuid_text();
        devices.emplace_back(options);
    }
    if (devices.size() < 2) GTEST_SKIP() << "one device only";
    const NetworkOptions options = shared_options();
    const Graph graph = perceptron(options);
    const std::vector<Labelled> batches = batches_for(options, 24, 5);
    for (const Optimizer& optimizer : {Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f}),
                                       Optimizer(AdamW{.learning_rate = 0.001f})}) {
        const std::vector<Trained> ranks =
            run_shared({&devices[0], &devices[1]}, graph, options, optimizer, batches, {9, 7, 8});
        for (const Trained& rank : ranks) EXPECT_EQ(rank.contents, ranks[0].contents);
        if (std::holds_alternative<Sgd>(optimizer))
            expect_near_run("ranks of two vendors", ranks[0], run_alone(graph, options, optimizer, batches),
                            in_float64(graph, options, optimizer, batches));
    }
}

}  // namespace
}  // namespace vknorm::testing
