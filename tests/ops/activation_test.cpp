// Activation functions and their gradients against float64, and what they tell about values that are not
// finite.
//
// Bounds follow Vulkan's precision of shader operations: exp(x) within (3 + 2 |x|) ULP, division within 2.5
// ULP, and half an ULP for each sum and product; one ULP of a value near v is at most 2^-23 |v|.

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/activation.hpp>

#include "ops/divergence.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

constexpr Activation functions[] = {Activation::identity, Activation::relu, Activation::tanh,
                                    Activation::sigmoid};
constexpr const char* names[] = {"identity", "relu", "tanh", "sigmoid"};
constexpr float infinity = std::numeric_limits<float>::infinity(),
                nan = std::numeric_limits<float>::quiet_NaN();

double value(Activation function, double x) {
    switch (function) {
        case Activation::identity:
            return x;
        case Activation::relu:
            return x < 0 ? 0 : x;
        case Activation::tanh:
            return std::tanh(x);
        case Activation::sigmoid:
            return 1 / (1 + std::exp(-x));
    }
    return 0;
}

double forward_bound(Activation function, double x) {
    const double ulp = std::ldexp(1.0, -23), a = std::abs(x), y = value(function, x);
    if (function == Activation::tanh) {
        // y = (1 - t) / (1 + t), t = exp(-2a): dy/dt = -2 / (1 + t)^2, and a rounding of 1 - t and of 1 + t.
        const double t = std::exp(-2 * a);
        return ulp * ((a < HUGE_VAL ? 2 * t * (3 + 4 * a) : 0) / ((1 + t) * (1 + t)) + 3.5);
    }
    if (function == Activation::sigmoid) {
        // 1 / (1 + t) or t / (1 + t), t = exp(-a).
        const double t = std::exp(-a), exp_error = a < HUGE_VAL ? t * (3 + 2 * a) : 0;
        return ulp * (x < 0 ? exp_error + 4 * y : exp_error / ((1 + t) * (1 + t)) + 3 * y) + 1e-37;
    }
    return 0;  // exact
}

double gradient(Activation function, double y) {
    switch (function) {
        case Activation::identity:
            return 1;
        case Activation::relu:
            return y <= 0 ? 0 : 1;
        case Activation::tanh:
            return 1 - y * y;
        case Activation::sigmoid:
            return y * (1 - y);
    }
    return 0;
}

std::vector<float> hurting_values(std::mt19937_64& random, size_t count) {
    std::vector<float> x = random_floats(random, count, -6, 6);
    const float special[] = {0.f, -0.f, 1e-30f, -1e-6f, 20.f, -20.f, 100.f, -100.f, 3e38f, -3e38f};
    for (size_t i = 0; i < std::size(special) && 3 * i < count; ++i) x[3 * i] = special[i];
    return x;
}

std::vector<float> forward(Activation function, uint32_t rows, uint32_t units, const std::vector<float>& x,
                           const BufferView& first_non_finite = {}) {
    const GuardedBuffer input(x, "x", true), output(4 * x.size(), "y", true);
    Stream stream(test_device());
    ActivationFunction(test_device(), {.function = function, .rows = rows, .units = units})
        .forward(stream.record(), {.x = input, .y = output, .first_non_finite = first_non_finite});
    stream.wait(stream.submit());
    return output.download();
}

TEST(Activation, IsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    for (const Activation function : functions) {
        for (const uint32_t rows : {1u, 3u, 31u, 100u}) {
            for (const uint32_t units : {1u, 2u, 13u, 33u}) {
                const std::vector<float> x = hurting_values(random, size_t{rows} * units);
                std::vector<double> expected, bounds;
                for (const float element : x) {
                    expected.push_back(value(function, double{element}));
                    bounds.push_back(forward_bound(function, double{element}));
                }
                expect_near(std::string("activation ") + names[int(function)],
                            forward(function, rows, units, x), expected, bounds);
            }
        }
    }
}

TEST(Activation, GradientIsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    for (const Activation function : functions) {
        for (const uint32_t elements : {1u, 2u, 3u, 4u, 255u, 1000u, 12345u}) {
            const bool bounded = function == Activation::tanh || function == Activation::sigmoid;
            std::vector<float> y =
                random_floats(random, elements, function == Activation::sigmoid ? 0 : -1, 1);
            if (!bounded) y = random_floats(random, elements, -5, 5);
            y[0] = 0;
            const std::vector<float> d = random_floats(random, elements, -3, 3);
            std::vector<double> expected, bounds;
            for (size_t i = 0; i < elements; ++i) {
                expected.push_back(gradient(function, double{y[i]}) * double{d[i]});
                // Two roundings of factors up to 1, one of the product.
                bounds.push_back(bounded ? std::ldexp(1.0, -23) * 1.5 * std::abs(double{d[i]}) : 0);
            }
            const GuardedBuffer values(y, "y", true), slopes(d, "d", true);
            Stream stream(test_device());
            ActivationFunction(test_device(), {.function = function, .units = elements})
                .backward(stream.record(), {.y = values, .dy = slopes, .dx = slopes});
            stream.wait(stream.submit());
            expect_near(std::string("activation gradient ") + names[int(function)], slopes.download(),
                        expected, bounds);
        }
    }
}

TEST(Activation, LetsNanAndInfinityThrough) {
    const std::vector<float> x = {nan, infinity, -infinity, 1.f, nan};
    for (const Activation function : functions) {
        SCOPED_TRACE(names[int(function)]);
        const std::vector<float> y = forward(function, 1, 5, x);
        EXPECT_TRUE(std::isnan(y[0]));
        EXPECT_TRUE(std::isnan(y[4]));
        EXPECT_FLOAT_EQ(y[1], static_cast<float>(value(function, HUGE_VAL)));
        EXPECT_FLOAT_EQ(y[2], static_cast<float>(value(function, -HUGE_VAL)));

        const GuardedBuffer values(std::vector<float>(5, nan), "y", true),
            slopes(std::vector<float>(5, 1.f), "d", true);
        Stream stream(test_device());
        ActivationFunction(test_device(), {.function = function, .units = 5})
            .backward(stream.record(), {.y = values, .dy = slopes, .dx = slopes});
        stream.wait(stream.submit());
        // The gradients of identity and ReLU are that of the layer above or 0; a NaN does not make it 0.
        const bool through = function == Activation::identity || function == Activation::relu;
        for (const float slope : slopes.download()) EXPECT_TRUE(through ? slope == 1 : std::isnan(slope));
    }
}

TEST(Activation, TellsTheLowestUnitThatIsNotFinite) {
    constexpr uint32_t rows = 37, units = 21, layers = 3;
    std::vector<float> x(rows * units, 0.5f);
    x[2 * units + 20] = nan;
    x[30 * units + 7] = infinity;
    const GuardedBuffer divergence(detail::no_divergence(layers), "divergence", true);
    forward(Activation::relu, rows, units, x, detail::first_non_finite_of(divergence, 1));
    std::vector<uint32_t> expected = detail::no_divergence(layers);
    expected[shaders::divergence_header + 1] = 7;
    EXPECT_EQ(divergence.download<uint32_t>(), expected);
}

TEST(Activation, GivesTheSameInPlaceAndNot) {
    std::mt19937_64 random = random_generator();
    const std::vector<float> x = random_floats(random, 91), d = random_floats(random, 91);
    for (const Activation function : functions) {
        SCOPED_TRACE(names[int(function)]);
        const ActivationFunction activation(test_device(), {.function = function, .rows = 7, .units = 13});
        const GuardedBuffer in_place(x, "x", true), input(x, "x", true), y(4 * x.size(), "y", true);
        const GuardedBuffer d_in_place(d, "dx", true), dy(d, "dy", true), dx(4 * d.size(), "dx", true);
        run([&](Recorder& recorder) {
            activation.forward(recorder, {.x = in_place, .y = in_place});
            activation.forward(recorder, {.x = input, .y = y});
            activation.backward(recorder, {.y = y, .dy = d_in_place, .dx = d_in_place});
            activation.backward(recorder, {.y = y, .dy = dy, .dx = dx});
        });
        EXPECT_EQ(in_place.download(), y.download());
        EXPECT_EQ(d_in_place.download(), dx.download());
        EXPECT_EQ(input.download(), x);
        EXPECT_EQ(dy.download(), d);
    }
}

TEST(Activation, Arguments) {
    EXPECT_EQ(refusal([] { ActivationFunction(test_device(), {.rows = 0}); }),
              "activation: rows: got 0, needs at least 1");
    EXPECT_EQ(refusal([] { ActivationFunction(test_device(), {.units = 0}); }),
              "activation: units: got 0, needs at least 1");

    const ActivationFunction activation(test_device(), {.rows = 2, .units = 5});
    const Buffer all(test_device(), 4096, "all");
    const auto place = [&](VkDeviceSize offset) { return all.view(offset, 40); };
    const auto forward = [&](const std::function<void(ActivationFunction::Forward&)>& change) {
        ActivationFunction::Forward arguments{.x = place(0), .y = place(256)};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { activation.forward(recorder, arguments); });
    };
    EXPECT_EQ(forward([](auto& a) { a.y = a.x; }), "no error");
    EXPECT_EQ(forward([](auto& a) { a.x = {}; }), "activation.forward: x: got no buffer, needs 40 bytes");
    EXPECT_EQ(forward([](auto& a) { a.y.bytes = 36; }), "activation.forward: y: got 36 bytes, needs 40");
    EXPECT_EQ(forward([](auto& a) { a.x.offset = 128; }),
              "activation.forward: x: got offset 128, needs a multiple of 256");
    EXPECT_EQ(forward([&](auto& a) { a.first_non_finite = all.view(516, 4); }), "no error");
    EXPECT_EQ(forward([&](auto& a) { a.first_non_finite = all.view(518, 4); }),
              "activation.forward: first_non_finite: got offset 518, needs a multiple of 4");
    EXPECT_EQ(forward([&](auto& a) { a.first_non_finite = all.view(256, 4); }),
              "activation.forward: y: got memory that overlaps first_non_finite, needs memory of its own");

    const auto backward = [&](const std::function<void(ActivationFunction::Backward&)>& change) {
        ActivationFunction::Backward arguments{.y = place(0), .dy = place(256), .dx = place(512)};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { activation.backward(recorder, arguments); });
    };
    EXPECT_EQ(backward([](auto& a) { a.dx = a.dy; }), "no error");
    EXPECT_EQ(backward([](auto& a) { a.dx = a.y; }),
              "activation.backward: dx: got memory that overlaps y, needs memory of its own");
    EXPECT_EQ(backward([](auto& a) { a.dy = {}; }), "activation.backward: dy: got no buffer, needs 40 bytes");
}

}  // namespace
}  // namespace vknorm::testing
