// Tensors of sixteen bits: refused by name where the device cannot have them, and at any offset of an
// element.
#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>

#include <vknorm/vknorm.hpp>

#include "device_fixture.hpp"

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

}  // namespace
}  // namespace vknorm::testing
