// Wrong arguments: the exact message, before anything is recorded.
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <optional>

#include "support/device_fixture.hpp"
#include "vknorm/batch_norm.hpp"

namespace vknorm::testing {
namespace {

std::string message_of(const BatchNormOptions& options) {
    return refusal([&] { BatchNorm(test_device(), options); });
}

TEST(BatchNormArguments, Options) {
    EXPECT_EQ(message_of({.shape = {4}}), "batch_norm: shape: got 1 dimensions, needs 2 to 5");
    EXPECT_EQ(message_of({.shape = {4, 0}}), "batch_norm: shape: got 0 channels, needs at least 1");
    EXPECT_EQ(message_of({.shape = {4, 3, 0}, .layout = Layout::channels_last}),
              "batch_norm: shape: got 0 channels, needs at least 1");
    BatchNormOptions options{.shape = {4, 3}};
    for (const auto& [momentum, text] : {std::pair{1.5f, "1.500000"},
                                         {-0.25f, "-0.250000"},
                                         {std::numeric_limits<float>::quiet_NaN(), "nan"}}) {
        options.convention.momentum = momentum;
        EXPECT_EQ(message_of(options), std::string("batch_norm: momentum: got ") + text + ", needs 0 to 1");
    }
    options.convention.momentum = 1;
    for (const auto& [epsilon, text] : {std::pair{-1.0f, "-1.000000"},
                                        {std::numeric_limits<float>::quiet_NaN(), "nan"},
                                        {std::numeric_limits<float>::infinity(), "inf"}}) {
        options.convention.epsilon = epsilon;
        EXPECT_EQ(message_of(options),
                  std::string("batch_norm: epsilon: got ") + text + ", needs a finite number from 0 on");
    }
    options.convention.epsilon = 0;
    EXPECT_EQ(message_of(options), "no error");
}

/// Everything that calls for the shape (4, 3, 2) need: 96 bytes a tensor, 12 a channel's worth.
class BatchNormArgumentsOf : public ::testing::Test {
  protected:
    static constexpr VkDeviceSize tensor = 96, channels = 12;

    BatchNormArgumentsOf() {
        convention_.momentum_form = Momentum::cumulative;
        op_.emplace(test_device(), BatchNormOptions{.shape = {4, 3, 2}, .convention = convention_});
        scratch_.emplace(test_device(), op_->scratch_bytes(), "scratch");
        training_ = {.x = x_,
                     .y = y_,
                     .gamma = part(0),
                     .beta = part(1),
                     .mean = {parts_.view().buffer, 2 * 16, 2 * channels},
                     .inv_std = part(4),
                     .running_mean = part(5),
                     .running_var = part(6),
                     .num_batches_tracked = {parts_.view().buffer, 7 * 16, 8},
                     .scratch = *scratch_};
        inference_ = {.x = x_, .y = y_, .running_mean = part(0), .running_var = part(1)};
        backward_ = {.x = x_,
                     .dy = y_,
                     .mean = {parts_.view().buffer, 2 * 16, 2 * channels},
                     .inv_std = part(4),
                     .dx = dx_,
                     .dgamma = part(5),
                     .dbeta = part(6),
                     .scratch = *scratch_};
        frozen_ = {.x = x_,
                   .dy = y_,
                   .running_mean = part(0),
                   .running_var = part(1),
                   .dx = dx_,
                   .dgamma = part(5),
                   .dbeta = part(6),
                   .scratch = *scratch_};
    }

    BufferView part(uint32_t index) const { return {parts_.view().buffer, index * 16, channels}; }

    /// The message of the call after `change`; and that nothing was recorded.
    std::string training(const std::function<void(BatchNorm::ForwardTraining&)>& change) {
        return message(training_, change, &BatchNorm::forward_training);
    }
    std::string inference(const std::function<void(BatchNorm::ForwardInference&)>& change) {
        return message(inference_, change, &BatchNorm::forward_inference);
    }
    std::string backward(const std::function<void(BatchNorm::Backward&)>& change) {
        return message(backward_, change, &BatchNorm::backward);
    }
    std::string frozen(const std::function<void(BatchNorm::BackwardFrozen&)>& change) {
        return message(frozen_, change, &BatchNorm::backward_frozen);
    }

    template <class Call>
    std::string message(Call arguments, const std::function<void(Call&)>& change,
                        void (BatchNorm::*operation)(Recorder&, const Call&) const) {
        change(arguments);
        for (const Buffer* buffer : {&x_, &y_, &dx_, &parts_}) {
            upload(*buffer, std::vector<float>(buffer->bytes() / sizeof(float), 2));
        }
        Stream stream(test_device());
        const std::string result = refusal([&] { ((*op_).*operation)(stream.record(), arguments); });
        stream.wait(stream.submit());
        bool changed = false;
        for (const Buffer* buffer : {&x_, &y_, &dx_, &parts_}) {
            for (const float value : download<float>(*buffer)) changed = changed || value != 2;
        }
        EXPECT_EQ(changed, result == "no error");
        return result;
    }

    BatchNormConvention convention_;
    std::optional<BatchNorm> op_;
    const Buffer x_{test_device(), tensor, "x"}, y_{test_device(), tensor, "y"},
        dx_{test_device(), tensor, "dx"}, parts_{test_device(), 256, "parts"};
    std::optional<Buffer> scratch_;
    BatchNorm::ForwardTraining training_;
    BatchNorm::ForwardInference inference_;
    BatchNorm::Backward backward_;
    BatchNorm::BackwardFrozen frozen_;
};

TEST_F(BatchNormArgumentsOf, ForwardTraining) {
    EXPECT_EQ(training([](auto&) {}), "no error");
    EXPECT_EQ(training([](auto& a) { a.x = {}; }),
              "batch_norm.forward_training: x: got no buffer, needs 96 bytes");
    EXPECT_EQ(training([](auto& a) { a.y.bytes = 95; }),
              "batch_norm.forward_training: y: got 95 bytes, needs 96");
    EXPECT_EQ(training([](auto& a) { a.mean.bytes = channels; }),
              "batch_norm.forward_training: mean: got 12 bytes, needs 24");
    EXPECT_EQ(training([](auto& a) { a.inv_std = {}; }),
              "batch_norm.forward_training: inv_std: got no buffer, needs 12 bytes");
    EXPECT_EQ(training([](auto& a) { a.gamma.bytes = 8; }),
              "batch_norm.forward_training: gamma: got 8 bytes, needs 12");
    EXPECT_EQ(training([](auto& a) { a.beta.offset += 2; }),
              "batch_norm.forward_training: beta: got offset 18, needs a multiple of 4");
    EXPECT_EQ(training([](auto& a) { a.running_var = {}; }),
              "batch_norm.forward_training: running_var: got no buffer, needs 12 bytes");
    EXPECT_EQ(training([](auto& a) { a.running_mean = {}; }),
              "batch_norm.forward_training: running_mean: got no buffer, needs 12 bytes");
    EXPECT_EQ(training([](auto& a) { a.num_batches_tracked = {}; }),
              "batch_norm.forward_training: num_batches_tracked: got no buffer, needs 8 bytes");
    EXPECT_EQ(
        training([](auto& a) { a.scratch.bytes = 8; }),
        "batch_norm.forward_training: scratch: got 8 bytes, needs " + std::to_string(op_->scratch_bytes()));
    EXPECT_EQ(training([](auto& a) { a.num_batches_tracked = a.running_mean = a.running_var = {}; }),
              "no error");
}

TEST_F(BatchNormArgumentsOf, Overlap) {
    EXPECT_EQ(training([](auto& a) { a.y = a.x; }), "no error");
    EXPECT_EQ(
        training([this](auto& a) {
            a.x = {parts_.view().buffer, 128, tensor};
            a.y = {parts_.view().buffer, 132, tensor};
        }),
        "batch_norm.forward_training: y: got memory that overlaps x, needs x itself or memory of its own");
    EXPECT_EQ(training([](auto& a) { a.inv_std.offset = a.mean.offset + 20; }),
              "batch_norm.forward_training: mean: got memory that overlaps inv_std, needs memory of its own");
    EXPECT_EQ(
        training([](auto& a) { a.running_var = a.gamma; }),
        "batch_norm.forward_training: running_var: got memory that overlaps gamma, needs memory of its own");
    EXPECT_EQ(training([](auto& a) { a.beta = a.gamma; }), "no error");
    EXPECT_EQ(backward([](auto& a) { a.dx = a.dy; }), "no error");
    EXPECT_EQ(backward([](auto& a) { a.dx = a.x; }),
              "batch_norm.backward: dx: got memory that overlaps x, needs memory of its own");
    EXPECT_EQ(frozen([](auto& a) { a.dbeta = a.dgamma; }),
              "batch_norm.backward_frozen: dgamma: got memory that overlaps dbeta, needs memory of its own");
    EXPECT_EQ(inference([](auto& a) { a.y = a.x; }), "no error");
}

TEST_F(BatchNormArgumentsOf, ForwardInference) {
    EXPECT_EQ(inference([](auto&) {}), "no error");
    EXPECT_EQ(inference([](auto& a) { a.running_var = {}; }),
              "batch_norm.forward_inference: running_var: got no buffer, needs 12 bytes");
    EXPECT_EQ(inference([](auto& a) { a.x.bytes = 92; }),
              "batch_norm.forward_inference: x: got 92 bytes, needs 96");
}

TEST_F(BatchNormArgumentsOf, Backward) {
    EXPECT_EQ(backward([](auto&) {}), "no error");
    EXPECT_EQ(backward([](auto& a) { a.inv_std = {}; }),
              "batch_norm.backward: inv_std: got no buffer, needs 12 bytes");
    EXPECT_EQ(backward([](auto& a) { a.mean.bytes = 12; }),
              "batch_norm.backward: mean: got 12 bytes, needs 24");
    EXPECT_EQ(backward([](auto& a) { a.dx.bytes = 0; }), "batch_norm.backward: dx: got 0 bytes, needs 96");
    const auto recomputed_after_residual = [](auto& a) {
        a.relu = true;
        a.dresidual = a.dx;
        a.dx = {};
    };
    EXPECT_EQ(
        backward(recomputed_after_residual),
        "batch_norm.backward: relu_mask: got no buffer, needs that of forward, or its y, with dresidual");
    EXPECT_EQ(frozen(recomputed_after_residual),
              "batch_norm.backward_frozen: relu_mask: got no buffer, needs that of forward, or its y, with "
              "dresidual");
    EXPECT_EQ(frozen([](auto& a) { a.x = {}; }),
              "batch_norm.backward_frozen: x: got no buffer, needs 96 bytes");
    EXPECT_EQ(frozen([](auto& a) { a.x = a.dgamma = {}; }), "no error");
    EXPECT_EQ(frozen([](auto& a) { a.dy = {}; }),
              "batch_norm.backward_frozen: dy: got no buffer, needs 96 bytes");
}

TEST(BatchNormArguments, CopiesShareTheirPlan) {
    std::optional<BatchNorm> original(std::in_place, test_device(), BatchNormOptions{.shape = {4, 3}});
    const std::string text = original->explain();
    const BatchNorm copy = *original;
    original.reset();
    EXPECT_EQ(copy.explain(), text);
}

TEST_F(BatchNormArgumentsOf, AnotherDevicesRecorder) {
    Device other(test_device_options());
    Stream stream(other);
    EXPECT_EQ(refusal([&] { op_->forward_training(stream.record(), training_); }),
              "batch_norm.forward_training: recorder: got one of another device, needs one of the plan's");
}

}  // namespace
}  // namespace vknorm::testing
