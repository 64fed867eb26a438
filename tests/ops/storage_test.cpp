// Tensors of sixteen bits: refused by name where the device cannot have them, and at any offset of an
// element.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include <vknorm/vknorm.hpp>

#include "data/half.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

TEST(Storage, IsRefusedByTheNameOfTheFeature) {
    DeviceOptions options = test_device_options();
    options.clamp = [clamp = options.clamp](Capabilities& capabilities) {
        if (clamp) clamp(capabilities);
        capabilities.storage_16_bit = false;
    };
    Device without(options);
    const auto message = [&](auto plan) {
        try {
            plan();
        } catch (const Unsupported& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(message([&] {
                  BatchNorm(without, {.shape = {2, 3}, .storage = Storage::float16});
              }),
              "batch_norm: storage: got float16, needs a device with storageBuffer16BitAccess");
    EXPECT_EQ(message([&] {
                  LayerNorm(without, {.shape = {2, 3}, .storage = Storage::bfloat16});
              }),
              "layer_norm: storage: got bfloat16, needs a device with storageBuffer16BitAccess");
    EXPECT_EQ(message([&] {
                  GroupNorm(without, {.shape = {2, 3}, .storage = Storage::float16});
              }),
              "group_norm: storage: got float16, needs a device with storageBuffer16BitAccess");
}

/// bfloat16 are the upper halves of float32.
std::vector<uint16_t> upper_halves(const std::vector<float>& values) {
    std::vector<uint16_t> halves;
    for (const float value : values)
        halves.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16));
    return halves;
}

TEST(Storage, StartsAtAnyElement) {
    if (!test_device().capabilities().storage_16_bit) GTEST_SKIP() << "needs 16-bit storage";
    const std::vector<float> x{1, 2, 3, 4, -4, 4, -4, 4};
    const BatchNorm op(test_device(),
                       {.shape = {4, 2}, .convention = {.epsilon = 0}, .storage = Storage::bfloat16});
    // Three elements before and after, to see that they stay.
    std::vector<uint16_t> words(14, 0x7fc0);
    const std::vector<uint16_t> halves = upper_halves(x);
    std::ranges::copy(halves, words.begin() + 3);
    GuardedBuffer input(words, "x"), output(words, "y"), statistics(6 * sizeof(float), "statistics");
    GuardedBuffer scratch(op.scratch_bytes(), "scratch");
    const auto part = [](const BufferView& view, VkDeviceSize offset, VkDeviceSize bytes) {
        return BufferView{view.buffer, view.offset + offset, bytes};
    };
    Stream stream(test_device());
    op.forward_training(stream.record(), {.x = part(input, 6, 16),
                                          .y = part(output, 6, 16),
                                          .mean = part(statistics, 0, 16),
                                          .inv_std = part(statistics, 16, 8),
                                          .scratch = scratch});
    stream.wait(stream.submit());
    // (1, 3, -4, -4) has mean -1, (2, 4, 4, 4) mean 3.5.
    const std::vector<float> saved = statistics.download();
    EXPECT_EQ(saved[0], -1);
    EXPECT_EQ(saved[1], 3.5f);
    const std::vector<uint16_t> y = output.download<uint16_t>();
    for (const size_t outside : {0, 1, 2, 11, 12, 13}) EXPECT_EQ(y[outside], 0x7fc0) << outside;
    const double exact[] = {(1 + 1) / std::sqrt(9.5), (2 - 3.5) / std::sqrt(.75)};
    for (size_t c = 0; c < 2; ++c) {
        const float got = std::bit_cast<float>(uint32_t{y[3 + c]} << 16);
        EXPECT_NEAR(got, exact[c], std::abs(exact[c]) * 0x1p-8);
    }
    EXPECT_THROW(op.forward_training(stream.record(), {.x = part(input, 5, 16),
                                                       .y = part(output, 6, 16),
                                                       .mean = part(statistics, 0, 16),
                                                       .inv_std = part(statistics, 16, 8),
                                                       .scratch = scratch}),
                 std::invalid_argument);
}

struct Type {
    Storage storage;
    uint16_t (*to)(float);
    float (*from)(uint16_t);
};
constexpr Type types[] = {{Storage::float16, detail::to_float16, detail::from_float16},
                          {Storage::bfloat16, detail::to_bfloat16, detail::from_bfloat16}};

/// y = gamma * x of every number there is, in tensors [4, channels, positions] that begin `skipped` elements
/// into a buffer. The products are exact in float32.
void multiply_all(const Type& type, uint32_t channels, uint32_t positions, uint32_t skipped) {
    const uint32_t images = 65536 / positions;
    const BatchNorm op(
        test_device(),
        {.shape = {images, channels, positions}, .convention = {.epsilon = 0}, .storage = type.storage});
    // A tie for each other one; below and above what float16 can hold.
    constexpr float factors[] = {1, 1 + 0x1p-10f, -0.75f, 1.5f * 0x1p-12f, 3};
    const auto factor = [&](size_t channel) { return factors[channel % std::size(factors)]; };
    std::vector<uint16_t> x(size_t{images} * channels * positions);
    std::vector<float> gamma(channels);
    for (size_t c = 0; c < channels; ++c) gamma[c] = factor(c);
    for (size_t i = 0; i < x.size(); ++i)
        x[i] = static_cast<uint16_t>(i / positions / channels * positions + i % positions);
    const size_t bytes = x.size() * sizeof(uint16_t), offset = skipped * sizeof(uint16_t);
    const Buffer input(test_device(), offset + bytes, "x"), output(test_device(), offset + bytes, "y");
    const GuardedBuffer ones(std::vector<float>(channels, 1)), zeros(std::vector<float>(channels, 0)),
        scale(gamma);
    upload(input.view(offset, bytes), x);
    run([&](Recorder& recorder) {
        op.forward_inference(recorder, {.x = input.view(offset, bytes),
                                        .y = output.view(offset, bytes),
                                        .gamma = scale,
                                        .running_mean = zeros,
                                        .running_var = ones});
    });
    const auto y = download<uint16_t>(output.view(offset, bytes));
    size_t wrong = 0;
    for (size_t i = 0; i < x.size(); ++i) {
        const float exact = type.from(x[i]) * factor(i / positions % channels);
        const float expected = type.from(type.to(exact)), got = type.from(y[i]);
        const bool is_subnormal =
            std::max(std::abs(exact), std::abs(type.from(x[i]))) < 0x1p-126f;  // may be zero
        if (got != expected && !(std::isnan(got) && std::isnan(expected)) && !(is_subnormal && got == 0) &&
            ++wrong < 9)
            ADD_FAILURE() << "x " << type.from(x[i]) << " times " << factor(i / positions % channels)
                          << ": got " << got << ", needs " << expected;
    }
    EXPECT_EQ(wrong, 0u);
}

// By the form of access: whole blocks of positions, odd lengths, odd channels, four adjacent channels;
// aligned to a block or not.
TEST(Storage, RoundsToTheNearestTiesToEven) {
    if (!test_device().capabilities().storage_16_bit) GTEST_SKIP() << "needs 16-bit storage";
    for (const Type& type : types) {
        for (const auto& [channels, positions, skipped] :
             {std::array{5u, 64u, 0u}, {5u, 64u, 1u}, {5u, 1u, 0u}, {20u, 1u, 0u}, {20u, 1u, 2u}}) {
            SCOPED_TRACE(std::to_string(channels) + " channels, " + std::to_string(positions) +
                         " positions, at " + std::to_string(skipped));
            multiply_all(type, channels, positions, skipped);
        }
    }
}

}  // namespace
}  // namespace vknorm::testing
