// What no operation takes: values that an enumeration does not have, views that leave a buffer or are of
// another device, and plans that were moved from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/vknorm.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

using ::testing::HasSubstr;

template <class Plan, class... Options>
std::string refused(const Options&... options) {
    return refusal([&] { (void)Plan(test_device(), options...); });
}

std::string no_value(const char* option, int number, int most) {
    return std::string(option) + ": got value " + std::to_string(number) +
           ", needs one of the enumeration's, 0 to " + std::to_string(most);
}

TEST(OperationArguments, NoPlanTakesAValueThatAnEnumerationDoesNotHave) {
    const auto layout = static_cast<Layout>(7);
    const auto storage = static_cast<Storage>(9);
    const std::vector<uint32_t> shape = {4, 4, 4};
    EXPECT_EQ(refused<BatchNorm>(BatchNormOptions{.shape = shape, .layout = layout}),
              "batch_norm: " + no_value("layout", 7, 1));
    EXPECT_EQ(refused<BatchNormStages>(BatchNormOptions{.shape = shape, .layout = layout}),
              "batch_norm_stages: " + no_value("layout", 7, 1));
    EXPECT_EQ(refused<GhostBatchNorm>(GhostBatchNormOptions{.shape = shape, .layout = layout}),
              "ghost_batch_norm: " + no_value("layout", 7, 1));
    EXPECT_EQ(refused<BatchRenorm>(BatchRenormOptions{.shape = shape, .layout = layout}),
              "batch_renorm: " + no_value("layout", 7, 1));
    EXPECT_EQ(refused<GroupNorm>(GroupNormOptions{.shape = shape, .layout = layout}),
              "group_norm: " + no_value("layout", 7, 1));
    EXPECT_EQ(refused<InstanceNorm>(InstanceNormOptions{.shape = shape, .layout = layout}),
              "instance_norm: " + no_value("layout", 7, 1));

    EXPECT_EQ(refused<BatchNorm>(BatchNormOptions{.shape = shape, .storage = storage}),
              "batch_norm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<BatchNormStages>(BatchNormOptions{.shape = shape, .storage = storage}),
              "batch_norm_stages: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<GhostBatchNorm>(GhostBatchNormOptions{.shape = shape, .storage = storage}),
              "ghost_batch_norm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<BatchRenorm>(BatchRenormOptions{.shape = shape, .storage = storage}),
              "batch_renorm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<GroupNorm>(GroupNormOptions{.shape = shape, .storage = storage}),
              "group_norm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<InstanceNorm>(InstanceNormOptions{.shape = shape, .storage = storage}),
              "instance_norm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<LayerNorm>(LayerNormOptions{.shape = shape, .storage = storage}),
              "layer_norm: " + no_value("storage", 9, 2));
    EXPECT_EQ(refused<RmsNorm>(LayerNormOptions{.shape = shape, .storage = static_cast<Storage>(-1)}),
              "rms_norm: " + no_value("storage", -1, 2));

    const BatchNormConvention form{.momentum_form = static_cast<Momentum>(5)};
    const BatchNormConvention variance{.running_variance = static_cast<RunningVariance>(2)};
    for (const auto& [convention, text] : {std::pair(form, no_value("momentum_form", 5, 2)),
                                           std::pair(variance, no_value("running_variance", 2, 1))}) {
        EXPECT_EQ(refused<BatchNorm>(BatchNormOptions{.shape = shape, .convention = convention}),
                  "batch_norm: " + text);
        EXPECT_EQ(refused<BatchNormStages>(BatchNormOptions{.shape = shape, .convention = convention}),
                  "batch_norm_stages: " + text);
        EXPECT_EQ(refused<GhostBatchNorm>(GhostBatchNormOptions{.shape = shape, .convention = convention}),
                  "ghost_batch_norm: " + text);
        EXPECT_EQ(refused<InstanceNorm>(InstanceNormOptions{.shape = shape, .convention = convention}),
                  "instance_norm: " + text);
        EXPECT_EQ(refused<Network>(NetworkOptions{.hidden = {{4}}, .batch_norm = convention}),
                  "batch_norm: " + text);
    }
    const auto single = static_cast<SingleValue>(3);
    EXPECT_EQ(refused<BatchNorm>(BatchNormOptions{.shape = shape, .single_value = single}),
              "batch_norm: " + no_value("single_value", 3, 2));
    EXPECT_EQ(refused<GhostBatchNorm>(GhostBatchNormOptions{.shape = shape, .single_value = single}),
              "ghost_batch_norm: " + no_value("single_value", 3, 2));
    EXPECT_EQ(
        refused<BatchRenorm>(BatchRenormOptions{.shape = shape, .moving = static_cast<MovingDeviation>(2)}),
        "batch_renorm: " + no_value("moving", 2, 1));
    EXPECT_EQ(refused<ActivationFunction>(ActivationOptions{.function = static_cast<Activation>(4)}),
              "activation: " + no_value("function", 4, 3));
    EXPECT_EQ(refused<Network>(NetworkOptions{.hidden = {{4, static_cast<Norm>(8)}}}),
              "graph: " + no_value("0.norm.kind", 8, 7));
    EXPECT_EQ(refused<Network>(NetworkOptions{.hidden = {{4, Norm::batch, static_cast<Activation>(4)}}}),
              "graph: " + no_value("0.activation.function", 4, 3));
    EXPECT_EQ(refusal([] { Buffer(test_device(), 4, "b", static_cast<Memory>(3)); }),
              "Buffer \"b\": memory: got 3, needs one of Memory");
    const Tuner tuner = [](Device&) { return Tuning{.loads = static_cast<BlockLoads>(3)}; };
    DeviceOptions options = test_device_options();
    options.tuning = tuner;
    EXPECT_THAT(refusal([&] { Device device(options); }), HasSubstr("loads: got value 3"));
}

/// A batch norm of 16 floats and its arguments, each a whole buffer.
struct Inference {
    explicit Inference(Device& device)
        : operation(device, {.shape = {4, 4}}),
          x(device, 64, "x"),
          y(device, 64, "y"),
          statistics(device, 16, "statistics"),
          arguments{.x = x, .y = y, .running_mean = statistics, .running_var = statistics} {}

    BatchNorm operation;
    Buffer x, y, statistics;
    BatchNorm::ForwardInference arguments;
};

class ViewArguments : public ::testing::Test {
  protected:
    std::string refused(const BatchNorm::ForwardInference& arguments) {
        const std::string text = refusal(
            batch.x, [&](Recorder& recorder) { batch.operation.forward_inference(recorder, arguments); });
        return text;
    }

    Inference batch{test_device()};
    Device another{test_device_options()};
    Buffer others{another, 64, "another device's"};
};

TEST_F(ViewArguments, StayWithinABufferOfTheEngine) {
    auto arguments = batch.arguments;
    arguments.y.offset = 4;
    EXPECT_EQ(refused(arguments),
              "batch_norm.forward_inference: y: got bytes [4, +64) of a buffer of 64, "
              "needs a range within the buffer");
    arguments.y = {batch.y.view().buffer, VkDeviceSize{1} << 63, 64};
    EXPECT_THAT(refused(arguments), HasSubstr("y: got bytes [9223372036854775808, +64) of a buffer of 64"));
    arguments.y = {batch.y.view().buffer, ~VkDeviceSize{3}, 64};
    EXPECT_THAT(refused(arguments),
                HasSubstr("y: got bytes [18446744073709551612, +64), needs a range that ends"));
    arguments = batch.arguments;
    arguments.running_var.bytes = 20;
    EXPECT_THAT(refused(arguments), HasSubstr("running_var: got bytes [0, +20) of a buffer of 16"));
}

TEST_F(ViewArguments, AreOfTheSameDevice) {
    auto arguments = batch.arguments;
    arguments.y = others;
    EXPECT_EQ(refused(arguments),
              "batch_norm.forward_inference: y: got a buffer of another device, needs one of "
              "this device");
}

TEST_F(ViewArguments, AreCheckedWhereThereIsNoPlan) {
    const auto refused = [&](auto record) {
        Stream stream(test_device());
        return refusal([&] { record(stream.record()); });
    };
    EXPECT_EQ(refused([&](Recorder& recorder) {
                  fold_batch_norm(recorder, {.channels = 4, .weights_per_channel = 4, .weight = others});
              }),
              "fold_batch_norm: weight: got a buffer of another device, needs one of this device");
    EXPECT_EQ(refused([&](Recorder& recorder) {
                  optimizer_step(recorder, Sgd{}, 1, {.parameters = others, .gradient = batch.x});
              }),
              "optimizer_step: parameters: got a buffer of another device, needs one of this device");
}

TEST(OperationArguments, PlansThatWereMovedFromSaySo) {
    Device& device = test_device();
    Stream stream(device);
    const auto moved = [&](auto plan, auto use) {
        [[maybe_unused]] const auto taken = std::move(plan);
        return refusal([&] { use(plan, stream.record()); });
    };
    const auto scratch = [](const auto& plan, Recorder&) { (void)plan.scratch_bytes(); };
    const auto backward = [](const auto& plan, Recorder& recorder) { plan.backward(recorder, {}); };
    EXPECT_EQ(moved(BatchNorm(device, {.shape = {4, 4}}), scratch), "BatchNorm: was moved from");
    EXPECT_EQ(moved(BatchNorm(device, {.shape = {4, 4}}), backward), "BatchNorm: was moved from");
    EXPECT_EQ(moved(BatchNormStages(device, {.shape = {4, 4}}), scratch), "BatchNormStages: was moved from");
    EXPECT_EQ(moved(GhostBatchNorm(device, {.shape = {4, 4}}), scratch), "GhostBatchNorm: was moved from");
    EXPECT_EQ(moved(GhostBatchNorm(device, {.shape = {4, 4}}), backward), "GhostBatchNorm: was moved from");
    EXPECT_EQ(moved(BatchRenorm(device, {.shape = {4, 4}}), scratch), "BatchRenorm: was moved from");
    EXPECT_EQ(moved(GroupNorm(device, {.shape = {4, 4}}), scratch), "GroupNorm: was moved from");
    EXPECT_EQ(moved(InstanceNorm(device, {.shape = {4, 4, 4}}), scratch), "InstanceNorm: was moved from");
    EXPECT_EQ(moved(LayerNorm(device, {.shape = {4, 4}}), scratch), "LayerNorm: was moved from");
    EXPECT_EQ(moved(RmsNorm(device, {.shape = {4, 4}}), scratch), "RmsNorm: was moved from");
    EXPECT_EQ(moved(Linear(device, {}), backward), "Linear: was moved from");
    EXPECT_EQ(moved(ActivationFunction(device, {}), backward), "ActivationFunction: was moved from");
    EXPECT_EQ(moved(SoftmaxCrossEntropy(device, {}),
                    [](const auto& plan, Recorder& recorder) { plan.forward(recorder, {}); }),
              "SoftmaxCrossEntropy: was moved from");
    EXPECT_EQ(moved(Probe(device, {}, 4, 4),
                    [](const auto& plan, Recorder& recorder) { plan.measure(recorder, {}); }),
              "Probe: was moved from");

    Recorder& recording = stream.record();
    Recorder own(device, recording.commands());
    const Recorder taken = std::move(own);
    EXPECT_EQ(refusal([&] { (void)own.commands(); }), "Recorder: was moved from");
    EXPECT_EQ(refusal([&] {
                  BatchNorm(device, {.shape = {4, 4}}).forward_inference(own, {});
              }),
              "Recorder: was moved from");
    Network network(device, {.hidden = {{4}}});
    const Network taken_network = std::move(network);
    EXPECT_EQ(refusal([&] { (void)network.steps(); }), "Network: was moved from");
    EXPECT_EQ(refusal([&] { (void)network.evaluate({}, {}, Statistics::running); }),
              "Network: was moved from");
    EXPECT_EQ(refusal([&] { (void)network.result(1); }), "Network: was moved from");
    Graph graph({4});
    graph.linear(graph.input(), {.units = 2});
    const Graph taken_graph = std::move(graph);
    EXPECT_EQ(refusal([&] { Network(device, graph); }),
              "network: graph: got one that was moved from, needs one with nodes");
    EXPECT_THAT(refusal([&] { graph.linear(graph.input(), {.units = 2}); }), HasSubstr("node 0 to read"));
}

}  // namespace
}  // namespace vknorm::testing
