// Folding: a folded layer alone does what the layer and batch normalization did, computed here in float64.
#include "vknorm/fold.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "reference/family_expected.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::FoldData;
using reference::Values;

FoldData random_data(uint32_t channels, uint32_t weights_per_channel) {
    std::mt19937_64 random = random_generator();
    return {.weight = random_floats(random, channels * weights_per_channel),
            .bias = random_floats(random, channels),
            .gamma = random_floats(random, channels, -2, 2),
            .beta = random_floats(random, channels),
            .running_mean = random_floats(random, channels, -3, 3),
            .running_var = random_floats(random, channels, 0.1f, 4),
            .epsilon = 1e-3f};
}

struct Folded {
    std::vector<float> weight, bias;
};

Folded fold(const FoldData& data, bool in_place = false) {
    const GuardedBuffer weight(data.weight), bias(data.running_mean.size() * sizeof(float), "bias");
    const GuardedBuffer mean(data.running_mean), var(data.running_var);
    const GuardedBuffer gamma(data.running_mean.size() * sizeof(float), "gamma");
    const GuardedBuffer beta(data.running_mean.size() * sizeof(float), "beta");
    const GuardedBuffer folded_weight(data.weight.size() * sizeof(float), "folded_weight");
    const GuardedBuffer folded_bias(data.running_mean.size() * sizeof(float), "folded_bias");
    const auto given = [](const GuardedBuffer& buffer, const std::vector<float>& values) {
        if (!values.empty()) upload(buffer.view(), values);
        return values.empty() ? BufferView{} : buffer.view();
    };
    const auto channels = static_cast<uint32_t>(data.running_mean.size());
    const FoldBatchNorm arguments{.channels = channels,
                                  .weights_per_channel = static_cast<uint32_t>(data.weight.size()) / channels,
                                  .epsilon = data.epsilon,
                                  .weight = weight,
                                  .bias = given(bias, data.bias),
                                  .gamma = given(gamma, data.gamma),
                                  .beta = given(beta, data.beta),
                                  .running_mean = mean,
                                  .running_var = var,
                                  .folded_weight = in_place ? weight.view() : folded_weight.view(),
                                  .folded_bias = in_place ? bias.view() : folded_bias.view()};
    run([&](Recorder& recorder) { fold_batch_norm(recorder, arguments); });
    if (in_place) return {weight.download(), bias.download()};
    return {folded_weight.download(), folded_bias.download()};
}

void check(const FoldData& data) {
    const testing::Expectations expected = reference::expected_fold(data);
    for (const bool in_place : {false, true}) {
        const Folded folded = fold(data, in_place);
        expect_near("fold.folded_weight", folded.weight, expected.at("folded_weight"));
        expect_near("fold.folded_bias", folded.bias, expected.at("folded_bias"));
    }
}

/// What batch normalization makes of the output of channel c.
double normalized(const FoldData& data, size_t c, double value) {
    const double deviation = std::sqrt(double{data.running_var[c]} + data.epsilon);
    return data.gamma[c] * (value - data.running_mean[c]) / deviation + data.beta[c];
}

TEST(Fold, Lengths) {
    check(random_data(1, 1));
    check(random_data(13, 27));
    check(random_data(3, 5001));
    check(random_data(3000, 1));
}

TEST(Fold, AbsentArguments) {
    for (int absent = 1; absent < 8; ++absent) {
        FoldData data = random_data(6, 4);
        if (absent & 1) data.bias.clear();
        if (absent & 2) data.gamma.clear();
        if (absent & 4) data.beta.clear();
        check(data);
    }
}

TEST(Fold, ALinearLayerDoesWhatBothDid) {
    constexpr size_t outputs = 7, inputs = 19;
    const FoldData data = random_data(outputs, inputs);
    const Folded folded = fold(data);
    std::mt19937_64 random(1);
    const std::vector<float> x = random_floats(random, inputs);
    for (size_t c = 0; c < outputs; ++c) {
        double before = data.bias[c], after = folded.bias[c];
        for (size_t k = 0; k < inputs; ++k) {
            before += double{data.weight[c * inputs + k]} * x[k];
            after += double{folded.weight[c * inputs + k]} * x[k];
        }
        EXPECT_NEAR(after, normalized(data, c, before), 1e-5);
    }
}

TEST(Fold, AConvolutionInGroupsDoesWhatBothDid) {
    constexpr size_t outputs = 6, groups = 2, inputs = 4, height = 5, width = 6, kernel = 9;
    constexpr size_t inner = inputs / groups;  // channels that an output sees
    const FoldData data = random_data(outputs, inner * kernel);
    const Folded folded = fold(data);
    std::mt19937_64 random(1);
    const std::vector<float> x = random_floats(random, inputs * height * width);
    const auto convolved = [&](const std::vector<float>& weight, const std::vector<float>& bias, size_t c,
                               size_t row, size_t column) {
        double sum = bias[c];
        for (size_t k = 0; k < inner; ++k) {
            const size_t input = c / (outputs / groups) * inner + k;
            for (size_t i = 0; i < kernel; ++i) {
                sum += double{weight[(c * inner + k) * kernel + i]} *
                       x[(input * height + row + i / 3) * width + column + i % 3];
            }
        }
        return sum;
    };
    for (size_t c = 0; c < outputs; ++c) {
        for (size_t row = 0; row + 2 < height; ++row) {
            for (size_t column = 0; column + 2 < width; ++column) {
                EXPECT_NEAR(convolved(folded.weight, folded.bias, c, row, column),
                            normalized(data, c, convolved(data.weight, data.bias, c, row, column)), 1e-5);
            }
        }
    }
}

TEST(Fold, NoVarianceAndNoEpsilonGiveBeta) {
    FoldData data = random_data(2, 3);
    data.epsilon = data.running_var[1] = 0;
    const Folded folded = fold(data);
    EXPECT_EQ(std::vector<float>(folded.weight.begin() + 3, folded.weight.end()), std::vector<float>(3, 0));
    EXPECT_EQ(folded.bias[1], data.beta[1]);
    EXPECT_NE(folded.bias[0], data.beta[0]);
}

TEST(Fold, Arguments) {
    const Buffer all(test_device(), 4096, "all");
    const FoldBatchNorm good{.channels = 2,
                             .weights_per_channel = 3,
                             .weight = all.view(0, 24),
                             .bias = all.view(32, 8),
                             .running_mean = all.view(64, 8),
                             .running_var = all.view(96, 8),
                             .folded_weight = all.view(128, 24),
                             .folded_bias = all.view(160, 8)};
    const auto message = [&](const std::function<void(FoldBatchNorm&)>& change) {
        FoldBatchNorm arguments = good;
        change(arguments);
        Stream stream(test_device());
        return refusal([&] { fold_batch_norm(stream.record(), arguments); });
    };
    EXPECT_EQ(message([](auto& a) { a.folded_weight = a.weight, a.folded_bias = a.bias; }), "no error");
    EXPECT_EQ(message([](auto& a) { a.channels = 0; }), "fold_batch_norm: channels: got 0, needs at least 1");
    EXPECT_EQ(message([](auto& a) { a.weights_per_channel = 0; }),
              "fold_batch_norm: weights_per_channel: got 0, needs at least 1");
    EXPECT_EQ(message([](auto& a) { a.epsilon = -1; }),
              "fold_batch_norm: epsilon: got -1.000000, needs a finite number from 0 on");
    EXPECT_EQ(message([](auto& a) { a.weight.bytes = 20; }),
              "fold_batch_norm: weight: got 20 bytes, needs 24");
    EXPECT_EQ(message([](auto& a) { a.running_var = {}; }),
              "fold_batch_norm: running_var: got no buffer, needs 8 bytes");
    EXPECT_EQ(message([](auto& a) { a.bias.offset += 2; }),
              "fold_batch_norm: bias: got offset 34, needs a multiple of 4");
    EXPECT_EQ(message([](auto& a) { a.folded_weight.offset = 4; }),
              "fold_batch_norm: folded_weight: got memory that overlaps weight, needs weight itself or "
              "memory of its own");
    EXPECT_EQ(message([](auto& a) { a.folded_bias = a.running_mean; }),
              "fold_batch_norm: folded_bias: got memory that overlaps running_mean, needs memory of its own");
    const Capabilities& capabilities = test_device().capabilities();
    const uint64_t range = capabilities.max_storage_buffer_range;
    const uint64_t most = (range - capabilities.storage_buffer_offset_alignment) / sizeof(float);
    EXPECT_EQ(message([&](auto& a) { a.channels = a.weights_per_channel = 1u << 17; }),
              "fold_batch_norm: weight: got 17179869184 elements, needs at most " + std::to_string(most) +
                  " on this device (max_storage_buffer_range " + std::to_string(range) + ")");
}

}  // namespace
}  // namespace vknorm::testing
