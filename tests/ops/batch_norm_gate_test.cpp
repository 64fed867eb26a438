// What a ReLU let through: the output tells backward the same as the mask, bit for bit.
#include <gtest/gtest.h>

#include <vknorm/batch_norm.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

struct Gradients {
    std::vector<uint32_t> dx, dgamma, dbeta, dresidual;
    bool operator==(const Gradients&) const = default;
};

class GatedBatchNorm {
  public:
    GatedBatchNorm(const BatchNormOptions& options, bool aligned)
        : op_(test_device(), options),
          aligned_(aligned),
          x_(random_floats(random_, op_.elements(), -2, 2), "x", aligned),
          residual_(random_floats(random_, op_.elements(), -2, 2), "residual", aligned),
          dy_(random_floats(random_, op_.elements()), "dy", aligned),
          parameters_(random_floats(random_, op_.channels(), .5, 2), "gamma, beta, mean and variance"),
          y_(x_.view().bytes, "y", aligned),
          mask_(op_.relu_mask_bytes(), "relu_mask"),
          mean_(8 * VkDeviceSize{op_.channels()}, "mean"),
          inv_std_(4 * VkDeviceSize{op_.channels()}, "inv_std"),
          scratch_(op_.scratch_bytes(), "scratch", true) {}

    void train() const {
        run([&](Recorder& recorder) {
            op_.forward_training(recorder, {.x = x_,
                                            .y = y_,
                                            .gamma = parameters_,
                                            .beta = parameters_,
                                            .mean = mean_,
                                            .inv_std = inv_std_,
                                            .residual = residual_,
                                            .relu = true,
                                            .relu_mask = mask_,
                                            .scratch = scratch_});
        });
    }
    Gradients backward(bool by_output) const {
        return gradients_of(BatchNorm::Backward{.x = x_, .mean = mean_, .inv_std = inv_std_}, by_output,
                            [&](Recorder& recorder, const auto& a) { op_.backward(recorder, a); });
    }
    Gradients backward_frozen(bool by_output) const {
        return gradients_of(
            BatchNorm::BackwardFrozen{.x = x_, .running_mean = parameters_, .running_var = parameters_},
            by_output, [&](Recorder& recorder, const auto& a) { op_.backward_frozen(recorder, a); });
    }

  private:
    template <class Arguments, class Record>
    Gradients gradients_of(Arguments arguments, bool by_output, Record record) const {
        const GuardedBuffer dx(x_.view().bytes, "dx", aligned_),
            dresidual(x_.view().bytes, "dresidual", aligned_), dgamma(inv_std_.view().bytes, "dgamma"),
            dbeta(inv_std_.view().bytes, "dbeta");
        arguments.dy = dy_;
        arguments.gamma = parameters_;
        arguments.dx = dx;
        arguments.dgamma = dgamma;
        arguments.dbeta = dbeta;
        arguments.relu = true;
        arguments.dresidual = dresidual;
        arguments.scratch = scratch_;
        (by_output ? arguments.y : arguments.relu_mask) = by_output ? y_ : mask_;
        run([&](Recorder& recorder) { record(recorder, arguments); });
        return {dx.download<uint32_t>(), dgamma.download<uint32_t>(), dbeta.download<uint32_t>(),
                dresidual.download<uint32_t>()};
    }

    std::mt19937_64 random_ = random_generator();
    BatchNorm op_;
    bool aligned_;
    GuardedBuffer x_, residual_, dy_, parameters_, y_, mask_, mean_, inv_std_, scratch_;
};

void check_gate(const BatchNormOptions& options, bool aligned) {
    SCOPED_TRACE(::testing::PrintToString(options.shape));
    const GatedBatchNorm norm(options, aligned);
    norm.train();
    EXPECT_EQ(norm.backward(true), norm.backward(false));
    EXPECT_EQ(norm.backward_frozen(true), norm.backward_frozen(false));
}

TEST(BatchNormGate, TheOutputTellsWhatTheMaskTells) {
    check_gate({.shape = {5, 12, 4, 36}}, true);
    check_gate({.shape = {6, 20, 7, 7}}, false);
    check_gate({.shape = {5, 4, 6, 12}, .layout = Layout::channels_last}, true);
    check_gate({.shape = {3, 5, 9, 7}, .layout = Layout::channels_last}, false);
}

TEST(BatchNormGate, OneOfTheTwoIsGiven) {
    const BatchNorm op(test_device(), {.shape = {4, 6}});
    const Buffer memory(test_device(), 4096, "memory");
    const auto view = [&](VkDeviceSize at, VkDeviceSize bytes) { return memory.view(256 * at, bytes); };
    const BatchNorm::Backward gated{.x = view(0, 96),
                                    .dy = view(1, 96),
                                    .mean = view(2, 48),
                                    .inv_std = view(3, 24),
                                    .dx = view(4, 96),
                                    .relu = true,
                                    .y = view(5, 96),
                                    .scratch = view(6, op.scratch_bytes())};
    const auto refused = [&](BatchNorm::Backward arguments) {
        return refusal(memory, [&](Recorder& recorder) { op.backward(recorder, arguments); });
    };
    BatchNorm::Backward both = gated, short_output = gated, without_relu = gated;
    both.relu_mask = view(15, op.relu_mask_bytes());
    short_output.y = view(5, 92);
    without_relu.relu = false;
    EXPECT_EQ(refused(both), "batch_norm.backward: y: got a buffer, needs none beside relu_mask");
    EXPECT_EQ(refused(short_output), "batch_norm.backward: y: got 92 bytes, needs 96");
    EXPECT_EQ(refused(without_relu), "batch_norm.backward: y: got a buffer, needs none without relu");
}

}  // namespace
}  // namespace vknorm::testing
