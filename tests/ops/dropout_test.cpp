// Dropout against its published generator, bit by bit; how much it keeps; what is refused.
#include "reference/dropout.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/dropout.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

std::vector<float> dropped(const DropoutOptions& options, const std::vector<float>& x,
                           const DropoutMask& mask) {
    const Dropout dropout(test_device(), options);
    const GuardedBuffer input(x, "x", true), y(4 * x.size(), "y", true);
    run([&](Recorder& recorder) { dropout.forward(recorder, {.x = input, .y = y, .mask = mask}); });
    return y.download();
}

// Random123's known answers.
TEST(Dropout, TheReferenceIsPhilox) {
    using reference::philox4x32_10;
    using Words = std::array<uint32_t, 4>;
    EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    const uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The same on every device: integers are compared, and one product is rounded.
TEST(Dropout, IsTheReferenceExactly) {
    std::mt19937_64 random = random_generator();
    for (const float p : {0.f, 0.1f, 0.5f, 0.75f, 0.999f}) {
        for (const auto& [rows, units] : {std::pair{1u, 1u}, {1u, 3u}, {3u, 13u}, {32u, 64u}, {7u, 257u}}) {
            const DropoutMask mask{random(), random(), static_cast<uint32_t>(random())};
            const std::vector<float> x = random_floats(random, size_t{rows} * units);
            std::vector<float> expected;
            for (size_t i = 0; i < x.size(); ++i)
                expected.push_back(static_cast<float>(reference::dropout_factor(mask, double{p}, i)) * x[i]);
            EXPECT_EQ(dropped({.p = p, .rows = rows, .units = units}, x, mask), expected) << p;
        }
    }
}

TEST(Dropout, KeepsTheShareThatItShould) {
    constexpr uint32_t elements = 16000;
    const std::vector<float> ones(elements, 1.f);
    for (const float p : {0.1f, 0.5f, 0.9f}) {
        for (const DropoutMask& mask : {DropoutMask{1, 1, 1}, {1, 2, 1}, {2, 1, 1}, {1, 1, 2}}) {
            const std::vector<float> y = dropped({.p = p, .units = elements}, ones, mask);
            const double kept = double(elements - std::count(y.begin(), y.end(), 0.f)) / elements;
            // Five standard deviations.
            EXPECT_NEAR(kept, 1 - double{p}, 5 * std::sqrt(double{p} * (1 - double{p}) / elements));
        }
    }
}

TEST(Dropout, EveryNumberOfTheMaskChangesIt) {
    const std::vector<float> ones(1000, 1.f);
    const auto kept = [&](const DropoutMask& mask) { return dropped({.units = 1000}, ones, mask); };
    const std::vector<float> first = kept({1, 1, 1});
    for (const DropoutMask& other : {DropoutMask{2, 1, 1}, {1, 2, 1}, {1, 1, 2}, {1ull << 40, 1, 1}}) {
        const std::vector<float> changed = kept(other);
        size_t different = 0;
        for (size_t i = 0; i < first.size(); ++i) different += first[i] != changed[i];
        EXPECT_NEAR(double(different), 500, 80);
    }
    EXPECT_EQ(kept({1, 1, 1}), first);
}

TEST(Dropout, BackwardAndInPlaceAreTheSame) {
    std::mt19937_64 random = random_generator();
    const std::vector<float> x = random_floats(random, 91);
    const DropoutMask mask{5, 6, 7};
    const Dropout dropout(test_device(), {.p = 0.3f, .rows = 7, .units = 13});
    const GuardedBuffer in_place(x, "y", true), dy(x, "dy", true), dx(4 * x.size(), "dx", true);
    run([&](Recorder& recorder) {
        dropout.forward(recorder, {.x = in_place, .y = in_place, .mask = mask});
        dropout.backward(recorder, {.dy = dy, .dx = dx, .mask = mask});
    });
    const std::vector<float> expected = dropped({.p = 0.3f, .rows = 7, .units = 13}, x, mask);
    EXPECT_EQ(in_place.download(), expected);
    EXPECT_EQ(dx.download(), expected);
}

TEST(Dropout, NanStays) {
    const std::vector<float> x(64, std::numeric_limits<float>::quiet_NaN());
    for (const float y : dropped({.units = 64}, x, {})) EXPECT_TRUE(std::isnan(y));
}

TEST(Dropout, Arguments) {
    for (const float p : {1.f, -0.1f, std::numeric_limits<float>::quiet_NaN()})
        EXPECT_EQ(refusal([&] { Dropout(test_device(), {.p = p}); }),
                  "dropout: p: got " + std::to_string(p) + ", needs at least 0 and below 1");
    EXPECT_EQ(refusal([] { Dropout(test_device(), {.rows = 0}); }), "dropout: rows: got 0, needs at least 1");
    EXPECT_EQ(refusal([] { Dropout(test_device(), {.units = 0}); }),
              "dropout: units: got 0, needs at least 1");
    const Dropout dropout(test_device(), {.rows = 2, .units = 5});
    const Buffer all(test_device(), 4096, "all");
    const auto forward = [&](const BufferView& x, const BufferView& y) {
        return refusal(all, [&](Recorder& recorder) { dropout.forward(recorder, {.x = x, .y = y}); });
    };
    EXPECT_EQ(forward(all.view(0, 40), all.view(256, 40)), "no error");
    EXPECT_EQ(forward({}, all.view(256, 40)), "dropout.forward: x: got no buffer, needs 40 bytes");
    EXPECT_EQ(forward(all.view(0, 40), all.view(128, 40)),
              "dropout.forward: y: got offset 128, needs a multiple of 256");
    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          dropout.backward(recorder, {.dy = all.view(0, 40), .dx = all.view(256, 36)});
                      }),
              "dropout.backward: dx: got 36 bytes, needs 40");
}

}  // namespace
}  // namespace vknorm::testing
