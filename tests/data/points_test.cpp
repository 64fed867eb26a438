#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/data.hpp>

#include "data/random.hpp"
#include "support/checksum.hpp"
#include "support/data_files.hpp"

namespace vknorm {
namespace {

constexpr std::array shapes{Shape2D::spiral,        Shape2D::circles,   Shape2D::moons,
                            Shape2D::xor_quadrants, Shape2D::gaussians, Shape2D::rings};

TEST(Points, SameBitsOnEveryPlatform) {
    constexpr std::array<uint64_t, 6> expected{8488679060921194028u,  11966207012965687105u,
                                               2156228489536832625u,  8119615690715777470u,
                                               11336541123035781940u, 2275919705870573808u};
    for (size_t i = 0; i < shapes.size(); ++i)
        EXPECT_EQ(test::checksum(make_2d(shapes[i], 100000, 0.16f, 7)), expected[i]) << "shape " << i;
}

TEST(Points, SeedsGiveDifferentSets) {
    for (const Shape2D shape : shapes) {
        EXPECT_EQ(make_2d(shape, 50, 0.1f, 1).inputs, make_2d(shape, 50, 0.1f, 1).inputs);
        EXPECT_NE(make_2d(shape, 50, 0.1f, 1).inputs, make_2d(shape, 50, 0.1f, 2).inputs);
    }
}

TEST(Points, ClassesAreBalancedAndMixed) {
    for (const Shape2D shape : shapes)
        for (const size_t size : {1, 2, 3, 7, 512, 1001}) {
            const Dataset data = make_2d(shape, size, 0.1f, 3);
            EXPECT_EQ(data.features, 2u);
            ASSERT_EQ(data.size(), size);
            ASSERT_EQ(data.inputs.size(), 2 * size);
            std::vector<size_t> counts(data.classes), first_half(data.classes);
            for (size_t i = 0; i < size; ++i) {
                ASSERT_LT(data.labels[i], data.classes);
                ++counts[data.labels[i]];
                if (i < size / 2) ++first_half[data.labels[i]];
            }
            const auto [fewest, most] = std::minmax_element(counts.begin(), counts.end());
            EXPECT_LE(*most - *fewest, 1u);
            if (size < 512) continue;
            for (uint32_t c = 0; c < data.classes; ++c)
                EXPECT_NEAR(static_cast<double>(first_half[c]), static_cast<double>(counts[c]) / 2, 60);
        }
}

// Without noise every point lies exactly on its class's figure, from which its class can be told.
TEST(Points, WithoutNoiseFiguresAreExact) {
    const auto each = [](Shape2D shape, auto check) {
        const Dataset data = make_2d(shape, 2000, 0, 5);
        for (size_t i = 0; i < data.size(); ++i) {
            const double x = data.example(i)[0], y = data.example(i)[1];
            EXPECT_LE(std::max(std::abs(x), std::abs(y)), 1 + 1e-6);
            check(x, y, data.labels[i]);
        }
    };
    constexpr double tolerance = 1e-6;
    each(Shape2D::spiral, [](double x, double y, uint32_t label) {
        const double turns = 1.75 * (std::hypot(x, y) - 0.1) / 0.9 + 0.5 * label;
        EXPECT_NEAR(std::remainder(std::atan2(y, x) - 6.283185307179586 * turns, 6.283185307179586), 0, 1e-5);
    });
    each(Shape2D::circles, [](double x, double y, uint32_t label) {
        EXPECT_NEAR(std::hypot(x, y), label == 0 ? 1 : 0.5, tolerance);
    });
    each(Shape2D::moons, [](double x, double y, uint32_t label) {
        const double u = 1.5 * x + 0.5, v = 1.5 * y + 0.25;
        EXPECT_NEAR(label == 0 ? std::hypot(u, v) : std::hypot(u - 1, v - 0.5), 1, 2e-6);
        EXPECT_GE(label == 0 ? v : 0.5 - v, -1e-6);
    });
    std::array<int, 4> quadrants{};
    each(Shape2D::xor_quadrants, [&](double x, double y, uint32_t label) {
        EXPECT_EQ(x * y < 0, label == 1);
        EXPECT_GE(std::min(std::abs(x), std::abs(y)), 0.1 - tolerance);
        ++quadrants[(x < 0 ? 1 : 0) + (y < 0 ? 2 : 0)];
    });
    for (const int count : quadrants) EXPECT_NEAR(count, 500, 100);
    each(Shape2D::gaussians, [](double x, double y, uint32_t label) {
        EXPECT_NEAR(std::hypot(x, y), 0.6, tolerance);
        EXPECT_NEAR(std::remainder(std::atan2(y, x) / 6.283185307179586 - 0.25 - label / 3.0, 1), 0,
                    tolerance);
    });
    each(Shape2D::rings, [](double x, double y, uint32_t label) {
        EXPECT_NEAR(std::hypot(x, y), 0.4 * label + 0.1, 0.1 + tolerance);
    });
}

TEST(Points, NoiseHasTheDeviationAskedFor) {
    constexpr size_t size = 200000;
    const Dataset clean = make_2d(Shape2D::gaussians, size, 0, 9);
    const Dataset noisy = make_2d(Shape2D::gaussians, size, 0.16f, 9);
    ASSERT_EQ(clean.labels, noisy.labels);
    double sum = 0, squares = 0, cross = 0, beyond_two = 0;
    const double unit = 0.16 * 0.6 * std::sqrt(3.0);
    for (size_t i = 0; i < size; ++i) {
        const double dx = (noisy.example(i)[0] - clean.example(i)[0]) / unit;
        const double dy = (noisy.example(i)[1] - clean.example(i)[1]) / unit;
        sum += dx + dy;
        squares += dx * dx + dy * dy;
        cross += dx * dy;
        beyond_two += (std::abs(dx) > 2) + (std::abs(dy) > 2);
    }
    const double n = 2.0 * size,
                 bound = 5 / std::sqrt(n);  // five standard errors of a mean of unit deviation
    const double worst =
        std::max({std::abs(sum / n), std::abs(squares / n - 1) / std::sqrt(2.0),
                  std::abs(2 * cross / n) / std::sqrt(2.0), std::abs(beyond_two / n - 0.0455) / 0.2084});
    std::printf("worst error/bound %.2f (normal noise: mean, variance, correlation, tail)\n", worst / bound);
    EXPECT_LT(worst, bound);
}

TEST(Points, RefusesWhatItCannotMake) {
    const auto message = [](size_t size, float noise, Shape2D shape = Shape2D::moons) {
        return test::message_of<std::invalid_argument>([&] { make_2d(shape, size, noise, 1); });
    };
    EXPECT_EQ(message(0, 0.1f), "make_2d: size: got 0, needs 1 to 16777216");
    EXPECT_EQ(message(16777217, 0.1f), "make_2d: size: got 16777217, needs 1 to 16777216");
    EXPECT_EQ(message(10, -1), "make_2d: noise: got -1.000000, needs 0 to 10");
    EXPECT_EQ(message(10, std::numeric_limits<float>::quiet_NaN()), "make_2d: noise: got nan, needs 0 to 10");
    EXPECT_EQ(message(10, 0, static_cast<Shape2D>(6)), "make_2d: shape: got 6, needs a Shape2D");
}

/// What S. Vigna's splitmix64.c prints.
TEST(Random, IsSplitmix64) {
    detail::Random random(1234567);
    for (const uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                    4593380528125082431u, 16408922859458223821u})
        EXPECT_EQ(random.bits(), expected);
    detail::Random bits(7), reals(7);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(reals.uniform(-1, 1), std::ldexp(static_cast<double>(bits.bits() >> 11), -52) - 1);
}

/// These are the elementary functions that every C library rounds in its own way.
TEST(Random, ElementaryFunctionsAreAccurate) {
    double worst = 0;
    for (int i = -40000; i <= 40000; ++i) {
        const double turns = i / 9973.0;
        const auto [cosine, sine] = detail::cos_sin_turns(turns);
        const double angle = 6.283185307179586 * (turns - std::floor(turns));
        worst = std::max({worst, std::abs(cosine - std::cos(angle)), std::abs(sine - std::sin(angle))});
    }
    double worst_log = 0;
    for (double x = 1e-16; x < 1e16; x *= 1.0037)
        worst_log = std::max(
            worst_log, std::abs(detail::logarithm(x) - std::log(x)) / std::max(1.0, std::abs(std::log(x))));
    std::printf("worst error/bound %.2f (cosine, sine, logarithm)\n", std::max(worst, worst_log) / 2e-15);
    EXPECT_LT(std::max(worst, worst_log), 2e-15);
    EXPECT_EQ(detail::cos_sin_turns(0.25), std::pair(0.0, 1.0));
    EXPECT_EQ(detail::cos_sin_turns(-0.5).first, -1.0);
    EXPECT_EQ(detail::logarithm(1), 0);
}

TEST(Random, BelowIsUniform) {
    detail::Random random(1, detail::Purpose::points);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
    for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
    EXPECT_EQ(random.below(1), 0u);
}

}  // namespace
}  // namespace vknorm
