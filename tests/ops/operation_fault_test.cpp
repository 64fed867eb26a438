// Every operation, recorded into a caller's command buffer, fails at every Vulkan call and every allocation
// on its way. What failed leaves nothing: the attempt that succeeds gives the bits of one that met no
// failure.
#include <bit>
#include <gtest/gtest.h>
#include <memory>

#include <vknorm/vknorm.hpp>

#include "ops/norm/tune.hpp"
#include "ops/norm/tuning_file.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/fault_sweep.hpp"
#include "support/faulty_vulkan.hpp"

namespace vknorm::testing {
namespace {

constexpr uint32_t n = 4, channels = 8, positions = 6;
const std::vector<uint32_t> shape = {n, channels, positions};

/// Arguments are blocks of one buffer, all alike, so that the whole buffer tells what a call did.
class Blocks {
  public:
    explicit Blocks(Device& device) : memory_(device, count * block_bytes, "blocks") {}

    const Buffer& memory() const { return memory_; }
    static std::vector<uint32_t> contents() {
        std::vector<uint32_t> words(count * block_bytes / sizeof(uint32_t));
        for (size_t i = block_bytes / sizeof(uint32_t); i < words.size(); ++i)
            words[i] = std::bit_cast<uint32_t>(0.5f + static_cast<float>(i * 7919 % 1009) / 1009);
        return words;
    }
    void start() { next_ = 1; }
    BufferView zeros() const { return memory_.view(0, block_bytes); }
    operator BufferView() { return take(block_bytes); }
    BufferView take(VkDeviceSize bytes) { return memory_.view(block_bytes * next_++, bytes); }

  private:
    static constexpr VkDeviceSize count = 20, block_bytes = 8192;
    Buffer memory_;
    VkDeviceSize next_ = 1;
};

struct Operation {
    const char* name;
    void (*record)(Device& device, Recorder& recorder, Blocks& block);
};

void PrintTo(const Operation& operation, std::ostream* out) {
    *out << operation.name;
}

const Operation operations[] = {
    {"BatchNormForward",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = shape})
             .forward_training(r, {.x = b,
                                   .y = b,
                                   .gamma = b,
                                   .beta = b,
                                   .mean = b,
                                   .inv_std = b,
                                   .running_mean = b,
                                   .running_var = b,
                                   .num_batches_tracked = b,
                                   .residual = b,
                                   .relu = true,
                                   .relu_mask = b,
                                   .valid = b,
                                   .count = b,
                                   .health = b,
                                   .scratch = b});
     }},
    {"BatchNormForwardFused",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = {n, channels}})
             .forward_training(r, {.x = b,
                                   .y = b,
                                   .mean = b,
                                   .inv_std = b,
                                   .running_mean = b,
                                   .running_var = b,
                                   .num_batches_tracked = b,
                                   .scratch = b});
     }},
    {"BatchNormForwardInference",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = shape})
             .forward_inference(r, {.x = b, .y = b, .running_mean = b, .running_var = b});
     }},
    {"BatchNormBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = shape})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"BatchNormBackwardFrozen",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = shape})
             .backward_frozen(r, {.x = b,
                                  .dy = b,
                                  .running_mean = b,
                                  .running_var = b,
                                  .gamma = b,
                                  .dx = b,
                                  .dgamma = b,
                                  .dbeta = b,
                                  .accumulate = true,
                                  .scratch = b});
     }},
    {"BatchNormDoubleBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNorm(d, {.shape = shape})
             .double_backward(r, {.x = b,
                                  .dy = b,
                                  .mean = b,
                                  .inv_std = b,
                                  .gamma = b,
                                  .ddx = b,
                                  .ddgamma = b,
                                  .ddbeta = b,
                                  .grad_dy = b,
                                  .grad_x = b,
                                  .grad_gamma = b,
                                  .scratch = b});
     }},
    {"StagesMeasure",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape})
             .measure(r, {.x = b, .moments = b, .accumulate = true, .scratch = b});
     }},
    {"StagesMergeMoments",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape}).merge(r, BatchNormStages::MergeMoments{2, b, b});
     }},
    {"StagesFinish",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape})
             .finish(r, {.moments = b,
                         .mean = b,
                         .inv_std = b,
                         .running_mean = b,
                         .running_var = b,
                         .num_batches_tracked = b});
     }},
    {"StagesNormalize",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape}).normalize(r, {.x = b, .y = b, .mean = b, .inv_std = b});
     }},
    {"StagesSum",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape})
             .sum(r, {.x = b, .dy = b, .mean = b, .inv_std = b, .sums = b, .accumulate = true, .scratch = b});
     }},
    {"StagesMergeSums",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape}).merge(r, BatchNormStages::MergeSums{2, b, b});
     }},
    {"StagesParameterGradients",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape})
             .parameter_gradients(r, {.sums = b, .dgamma = b, .dbeta = b, .accumulate = true});
     }},
    {"StagesDifferentiate",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchNormStages(d, {.shape = shape})
             .differentiate(r, {.x = b,
                                .dy = b,
                                .mean = b,
                                .inv_std = b,
                                .gamma = b,
                                .moments = b,
                                .sums = b,
                                .dx = b,
                                .scratch = b});
     }},
    {"GhostForward",
     [](Device& d, Recorder& r, Blocks& b) {
         GhostBatchNorm(d, {.shape = shape, .ghost_size = 2})
             .forward_training(r, {.x = b,
                                   .y = b,
                                   .mean = b,
                                   .inv_std = b,
                                   .running_mean = b,
                                   .running_var = b,
                                   .num_batches_tracked = b,
                                   .scratch = b});
     }},
    {"GhostBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         GhostBatchNorm(d, {.shape = shape, .ghost_size = 2})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"RenormForward",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchRenorm(d, {.shape = shape})
             .forward_training(r, {.x = b,
                                   .y = b,
                                   .gamma = b,
                                   .beta = b,
                                   .moving_mean = b,
                                   .moving_deviation = b,
                                   .mean = b,
                                   .inv_std = b,
                                   .r = b,
                                   .d = b,
                                   .num_batches_tracked = b,
                                   .limits = {3, 5},
                                   .scratch = b});
     }},
    {"RenormForwardInference",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchRenorm(d, {.shape = shape})
             .forward_inference(r, {.x = b, .y = b, .moving_mean = b, .moving_deviation = b});
     }},
    {"RenormBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         BatchRenorm(d, {.shape = shape})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .r = b,
                           .d = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"GroupForward",
     [](Device& d, Recorder& r, Blocks& b) {
         GroupNorm(d, {.shape = shape, .groups = 2})
             .forward(r, {.x = b, .y = b, .gamma = b, .beta = b, .mean = b, .inv_std = b, .scratch = b});
     }},
    {"GroupBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         GroupNorm(d, {.shape = shape, .groups = 2})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"InstanceForward",
     [](Device& d, Recorder& r, Blocks& b) {
         InstanceNorm(d, {.shape = shape})
             .forward_training(r, {.x = b,
                                   .y = b,
                                   .gamma = b,
                                   .beta = b,
                                   .mean = b,
                                   .inv_std = b,
                                   .running_mean = b,
                                   .running_var = b,
                                   .num_batches_tracked = b,
                                   .scratch = b});
     }},
    {"InstanceForwardInference",
     [](Device& d, Recorder& r, Blocks& b) {
         InstanceNorm(d, {.shape = shape})
             .forward_inference(r, {.x = b, .y = b, .running_mean = b, .running_var = b});
     }},
    {"InstanceBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         InstanceNorm(d, {.shape = shape})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"InstanceBackwardFrozen",
     [](Device& d, Recorder& r, Blocks& b) {
         InstanceNorm(d, {.shape = shape})
             .backward_frozen(r, {.x = b,
                                  .dy = b,
                                  .running_mean = b,
                                  .running_var = b,
                                  .dx = b,
                                  .dgamma = b,
                                  .dbeta = b,
                                  .accumulate = true,
                                  .scratch = b});
     }},
    {"LayerForward",
     [](Device& d, Recorder& r, Blocks& b) {
         LayerNorm(d, {.shape = shape})
             .forward(r, {.x = b, .y = b, .gamma = b, .beta = b, .mean = b, .inv_std = b, .scratch = b});
     }},
    {"LayerBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         LayerNorm(d, {.shape = shape})
             .backward(r, {.x = b,
                           .dy = b,
                           .mean = b,
                           .inv_std = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .dbeta = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"RmsForward",
     [](Device& d, Recorder& r, Blocks& b) {
         RmsNorm(d, {.shape = shape}).forward(r, {.x = b, .y = b, .gamma = b, .inv_rms = b, .scratch = b});
     }},
    {"RmsBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         RmsNorm(d, {.shape = shape})
             .backward(r, {.x = b,
                           .dy = b,
                           .inv_rms = b,
                           .gamma = b,
                           .dx = b,
                           .dgamma = b,
                           .accumulate = true,
                           .scratch = b});
     }},
    {"Fold",
     [](Device&, Recorder& r, Blocks& b) {
         const BufferView weight = b, bias = b;
         fold_batch_norm(r, {.channels = channels,
                             .weights_per_channel = positions,
                             .weight = weight,
                             .bias = bias,
                             .running_mean = b,
                             .running_var = b,
                             .folded_weight = weight,
                             .folded_bias = bias});
     }},
    {"LinearForward",
     [](Device& d, Recorder& r, Blocks& b) {
         Linear(d, {.rows = n, .inputs = channels, .outputs = positions})
             .forward(r, {.x = b, .weight = b, .bias = b, .y = b});
     }},
    {"LinearBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         Linear(d, {.rows = n, .inputs = channels, .outputs = positions})
             .backward(r, {.x = b, .dy = b, .weight = b, .dx = b, .dweight = b, .dbias = b});
     }},
    {"Conv2dForward",
     [](Device& d, Recorder& r, Blocks& b) {
         Conv2d(d, {.images = 1, .in_channels = 3, .out_channels = 2, .height = 4, .width = 5})
             .forward(r, {.x = b, .weight = b, .bias = b, .y = b, .scratch = b});
     }},
    {"Conv2dBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         Conv2d(d, {.images = 1, .in_channels = 3, .out_channels = 2, .height = 4, .width = 5})
             .backward(r, {.x = b, .dy = b, .weight = b, .dx = b, .dweight = b, .dbias = b, .scratch = b});
     }},
    {"ActivationForward",
     [](Device& d, Recorder& r, Blocks& b) {
         const BufferView x = b;
         ActivationFunction(d, {.function = Activation::tanh, .rows = n, .units = channels})
             .forward(r, {.x = x, .y = x, .first_non_finite = b});
     }},
    {"ActivationBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         const BufferView dy = b;
         ActivationFunction(d, {.function = Activation::tanh, .rows = n, .units = channels})
             .backward(r, {.y = b, .dy = dy, .dx = dy});
     }},
    {"LossForward",
     [](Device& d, Recorder& r, Blocks& b) {
         SoftmaxCrossEntropy(d, {.rows = n, .classes = channels})
             .forward(r, {.logits = b, .labels = b.zeros(), .losses = b});
     }},
    {"LossForwardBackward",
     [](Device& d, Recorder& r, Blocks& b) {
         SoftmaxCrossEntropy(d, {.rows = n, .classes = channels})
             .forward_backward(
                 r, {.logits = b, .labels = b.zeros(), .losses = b, .dlogits = b, .first_non_finite = b});
     }},
    {"Softmax",
     [](Device& d, Recorder& r, Blocks& b) {
         SoftmaxCrossEntropy(d, {.rows = n, .classes = channels})
             .softmax(r, {.logits = b, .probabilities = b});
     }},
    {"Sgd",
     [](Device&, Recorder& r, Blocks& b) {
         optimizer_step(r, Sgd{.momentum = 0.9f}, 1, {.parameters = b, .gradient = b, .first_moment = b});
     }},
    {"Adam",
     [](Device&, Recorder& r, Blocks& b) {
         optimizer_step(r, Adam{}, 1,
                        {.parameters = b,
                         .gradient = b,
                         .first_moment = b,
                         .second_moment = b,
                         .verdict = b.zeros(),
                         .working = b,
                         .committed = b});
     }},
    {"Probe", [](Device& d, Recorder& r,
                 Blocks& b) { Probe(d, {.bins = 8}, n, channels).measure(r, {.tensor = b, .result = b}); }},
};

class OperationFaults : public ::testing::TestWithParam<Operation> {
  protected:
    static void SetUpTestSuite() { faulty_ = std::make_unique<FaultyDevice>(); }
    static void TearDownTestSuite() {
        faulty_.reset();
        EXPECT_EQ(live_objects(), "");
        std::cout << fault_points().calls << " calls and " << fault_points().allocations
                  << " allocations failed\n";
    }
    void SetUp() override {
        if (mode().small_limits || mode().gpu_assisted) GTEST_SKIP() << "the same calls as without";
    }

    using Sweep = std::function<void(const std::function<void()>& step)>;
    /// What the blocks hold after the operation, which is recorded as `sweep` says.
    std::vector<uint32_t> result(const Sweep& sweep) {
        Device& device = faulty_->device;
        Stream stream(device);
        Blocks blocks(device);
        stream.upload(blocks.memory(), Blocks::contents());
        stream.wait(stream.submit());
        const VkCommandBuffer commands = faulty_->raw.begin();
        std::unique_ptr<Recorder> recorder;
        sweep([&] {
            blocks.start();
            recorder = std::make_unique<Recorder>(device, commands);
            GetParam().record(device, *recorder, blocks);
        });
        faulty_->raw.barrier(commands);
        faulty_->raw.submit_and_wait(commands);
        return stream.download<uint32_t>(blocks.memory());
    }

    static inline std::unique_ptr<FaultyDevice> faulty_;
};

INSTANTIATE_TEST_SUITE_P(Operations, OperationFaults, ::testing::ValuesIn(operations),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(OperationFaults, LeaveNothingBehind) {
    // The calls come first: they compile pipelines, for which SPIRV-Tools takes memory. It is built without
    // exceptions, and a process that runs out of memory in it cannot be saved.
    const auto after_calls = result([](const auto& step) { sweep_calls(faulty_->device, step); });
    const auto after_allocations = result([](const auto& step) { sweep_allocations(step); });
    const auto expected = result([](const auto& step) { step(); });
    EXPECT_NE(expected, Blocks::contents());
    EXPECT_TRUE(after_calls == expected);
    EXPECT_TRUE(after_allocations == expected);
}

TEST(TuningFaults, LeaveNothingBehind) {
    const test::TemporaryDirectory folder;
    {
        FaultyDevice faulty;
        Device& device = faulty.device;
        // To stop after the first round is enough: the others make the same calls.
        const auto stop = [](const TuningTrial&) { return false; };
        const auto measure = [&] { EXPECT_EQ(detail::fastest_tuning(device, {{2, 8}}, stop), std::nullopt); };
        sweep_calls(device, measure, Repeat::allowed);
        const auto keep = [&] {
            return detail::kept_tuning(device, folder.path(), [&] { return device.tuning(); });
        };
        sweep_allocations(keep);
        EXPECT_EQ(keep(), device.tuning());
    }
    EXPECT_EQ(live_objects(), "");
}

}  // namespace
}  // namespace vknorm::testing
