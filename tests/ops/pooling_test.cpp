// Pooling and its gradients against float64, where ties and NaN go, and what is refused.
#include "reference/pooling.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/pooling.hpp>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::pooled_map;
using reference::PooledMap;
using reference::Values;

constexpr float infinity = std::numeric_limits<float>::infinity(),
                nan = std::numeric_limits<float>::quiet_NaN();

/// Kernel, stride, padding and dilation on maps of height x width.
struct Case {
    uint32_t height, width, kernel, stride = 0, padding = 0, dilation = 1;
};

constexpr Case cases[] = {
    {1, 1, 1},   {4, 4, 2},     {5, 7, 2},       {8, 16, 2},      {7, 7, 3, 2, 1},      {13, 5, 3, 1, 1},
    {6, 9, 3},   {9, 9, 2, 3},  {10, 3, 3, 2},   {5, 5, 5, 1, 2}, {12, 11, 3, 2, 1, 2}, {9, 14, 2, 1, 1, 3},
    {28, 28, 2}, {1, 33, 1, 4}, {3, 3, 3, 5, 1},
};
constexpr std::pair<uint32_t, uint32_t> rows_and_channels[] = {{1, 1}, {2, 3}, {3, 5}};

std::string text(const Case& its) {
    return std::to_string(its.height) + " x " + std::to_string(its.width) + ", kernel " +
           std::to_string(its.kernel) + ", stride " + std::to_string(its.stride) + ", padding " +
           std::to_string(its.padding) + ", dilation " + std::to_string(its.dilation);
}

MaxPool2dOptions max_options(const Case& its, uint32_t rows, uint32_t channels) {
    return {rows, channels, its.height, its.width, its.kernel, its.stride, its.padding, its.dilation};
}

struct MaxPooled {
    std::vector<float> y, dx;
    std::vector<uint32_t> indices;
};

MaxPooled max_pooled(const MaxPool2dOptions& options, const std::vector<float>& x,
                     const std::vector<float>& dy) {
    const MaxPool2d pool(test_device(), options);
    const GuardedBuffer input(x, "x", true), slopes(dy, "dy", true), y(4 * dy.size(), "y", true),
        indices(4 * dy.size(), "indices", true), dx(4 * x.size(), "dx", true);
    run([&](Recorder& recorder) {
        pool.forward(recorder, {.x = input, .y = y, .indices = indices});
        pool.backward(recorder, {.dy = slopes, .indices = indices, .dx = dx});
    });
    return {y.download(), dx.download(), indices.download<uint32_t>()};
}

template <class Pool, class Options>
std::pair<std::vector<float>, std::vector<float>> averaged(const Options& options,
                                                           const std::vector<float>& x,
                                                           const std::vector<float>& dy) {
    const Pool pool(test_device(), options);
    const GuardedBuffer input(x, "x", true), slopes(dy, "dy", true), y(4 * dy.size(), "y", true),
        dx(4 * x.size(), "dx", true);
    run([&](Recorder& recorder) {
        pool.forward(recorder, {.x = input, .y = y});
        pool.backward(recorder, {.dy = slopes, .dx = dx});
    });
    return {y.download(), dx.download()};
}

TEST(MaxPool2d, IsTheReferenceExactly) {
    std::mt19937_64 random = random_generator();
    for (const Case& its : cases) {
        for (const auto& [rows, channels] : rows_and_channels) {
            SCOPED_TRACE(text(its) + ", " + std::to_string(rows) + " rows");
            const MaxPool2dOptions options = max_options(its, rows, channels);
            const PooledMap map = pooled_map(options);
            const PooledSize size = MaxPool2d(test_device(), options).output();
            ASSERT_EQ(size.height, map.height);
            ASSERT_EQ(size.width, map.width);
            const size_t maps = size_t{rows} * channels;
            // Few values, so that many are equal.
            std::vector<float> x = random_floats(random, maps * map.values, -4, 4);
            if (rows > 1)
                for (float& value : x) value = std::round(value);
            const std::vector<float> dy = random_floats(random, maps * map.windows.size());
            const MaxPooled got = max_pooled(options, x, dy);
            const Expectations expected = reference::expected_max_pool(map, x, dy);
            EXPECT_EQ(got.indices, reference::largest(map, x));
            expect_near("max pooling", got.y, expected.at("y"));
            expect_near("max pooling gradient", got.dx, expected.at("dx"));
            const MaxPooled again = max_pooled(options, x, dy);
            EXPECT_EQ(again.y, got.y);
            EXPECT_EQ(again.dx, got.dx);
        }
    }
}

// torch.nn.functional.max_pool2d(x, 2, return_indices=True), PyTorch 1.13
TEST(MaxPool2d, TiesNanAndInfinityGoWherePyTorchPutsThem) {
    const std::vector<float> x = {1, 1, nan, 2,   -infinity, -infinity, 0.f,  //
                                  1, 1, 3,   nan, -infinity, -infinity, -0.f};
    const MaxPooled got = max_pooled({.height = 2, .width = 7, .kernel = 2, .stride = 2}, x, {1.f, 2.f, 4.f});
    EXPECT_EQ(got.indices, (std::vector<uint32_t>{0, 10, 4}));
    EXPECT_EQ(got.y[0], 1.f);
    EXPECT_TRUE(std::isnan(got.y[1]));
    EXPECT_EQ(got.y[2], -infinity);
    EXPECT_EQ(got.dx, (std::vector<float>{1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 2, 0, 0, 0}));
}

TEST(MaxPool2d, IndicesAreOptional) {
    const MaxPool2d pool(test_device(), {.channels = 2, .height = 2, .width = 2});
    const GuardedBuffer x(std::vector<float>{1, 2, 3, 4, -4, -3, -2, -1}, "x", true), y(8, "y", true);
    run([&](Recorder& recorder) { pool.forward(recorder, {.x = x, .y = y}); });
    EXPECT_EQ(y.download(), (std::vector<float>{4, -1}));
}

TEST(AveragePool2d, IsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    for (const Case& its : cases) {
        if (its.dilation > 1) continue;
        for (const auto& [rows, channels] : rows_and_channels) {
            for (const bool count_include_pad : {true, false}) {
                SCOPED_TRACE(text(its) + ", " + std::to_string(rows) + " rows");
                const AveragePool2dOptions options{rows,       channels,   its.height,  its.width,
                                                   its.kernel, its.stride, its.padding, count_include_pad};
                const PooledMap map = pooled_map(options);
                const size_t maps = size_t{rows} * channels;
                const std::vector<float> x = random_floats(random, maps * map.values, -4, 4),
                                         dy = random_floats(random, maps * map.windows.size());
                const auto [y, dx] = averaged<AveragePool2d>(options, x, dy);
                const Expectations expected = reference::expected_average_pool(map, x, dy);
                expect_near("average pooling", y, expected.at("y"));
                expect_near("average pooling gradient", dx, expected.at("dx"));
                EXPECT_EQ(averaged<AveragePool2d>(options, x, dy), std::pair(y, dx));
            }
        }
    }
}

TEST(AdaptiveAveragePool2d, IsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    struct Bins {
        uint32_t height, width;
        PooledSize output;
    };
    for (const Bins& its :
         {Bins{1, 1, {1, 1}}, Bins{7, 7, {1, 1}}, Bins{8, 8, {4, 2}}, Bins{7, 10, {3, 4}}, Bins{5, 3, {5, 3}},
          Bins{3, 4, {7, 9}}, Bins{32, 32, {1, 1}}, Bins{9, 2, {1, 5}}}) {
        for (const auto& [rows, channels] : rows_and_channels) {
            SCOPED_TRACE(std::to_string(its.height) + " x " + std::to_string(its.width) + " to " +
                         std::to_string(its.output.height) + " x " + std::to_string(its.output.width));
            const AdaptiveAveragePool2dOptions options{rows, channels, its.height, its.width, its.output};
            const PooledMap map = pooled_map(options);
            const size_t maps = size_t{rows} * channels;
            const std::vector<float> x = random_floats(random, maps * map.values, -4, 4),
                                     dy = random_floats(random, maps * map.windows.size());
            const auto [y, dx] = averaged<AdaptiveAveragePool2d>(options, x, dy);
            const Expectations expected = reference::expected_average_pool(map, x, dy);
            expect_near("adaptive pooling", y, expected.at("y"));
            expect_near("adaptive pooling gradient", dx, expected.at("dx"));
            EXPECT_EQ(averaged<AdaptiveAveragePool2d>(options, x, dy), std::pair(y, dx));
        }
    }
}

// Averages are linear, and max pooling is where no two values are nearly equal.
TEST(Pooling, GradientsAreThoseOfFiniteDifferences) {
    std::mt19937_64 random(7);
    constexpr double h = 1e-4;
    const auto check = [&](const PooledMap& map, const auto& forward, const auto& backward) {
        Values x(map.values);
        for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
        std::shuffle(x.begin(), x.end(), random);
        const Values dy(map.windows.size(), 1.5), dx = backward(map, x, dy);
        for (size_t i = 0; i < x.size(); ++i) {
            const auto sum = [&](double change) {
                Values moved = x;
                moved[i] += change;
                const Values y = forward(map, moved);
                return std::inner_product(y.begin(), y.end(), dy.begin(), 0.0);
            };
            EXPECT_NEAR((sum(h) - sum(-h)) / (2 * h), dx[i], 1e-7);
        }
    };
    const auto average_backward = [](const PooledMap& map, const Values&, const Values& dy) {
        return reference::average_pool_backward(map, dy);
    };
    const auto max_pool = [](const PooledMap& map, const Values& x) { return reference::max_pool(map, x); };
    const auto max_backward = [](const PooledMap& map, const Values& x, const Values& dy) {
        return reference::max_pool_backward(map, x, dy);
    };
    const auto average = [](const PooledMap& map, const Values& x) {
        return reference::average_pool(map, x);
    };
    check(pooled_map(max_options({9, 8, 3, 2, 1}, 1, 1)), max_pool, max_backward);
    check(pooled_map(max_options({9, 8, 2, 1, 1, 2}, 1, 1)), max_pool, max_backward);
    check(pooled_map(AveragePool2dOptions{1, 1, 7, 6, 3, 2, 1, false}), average, average_backward);
    check(pooled_map(AdaptiveAveragePool2dOptions{1, 1, 7, 6, {3, 4}}), average, average_backward);
}

TEST(Pooling, RefusesOptionsOutOfRange) {
    const auto refused = [](const MaxPool2dOptions& options) {
        return refusal([&] { MaxPool2d(test_device(), options); });
    };
    EXPECT_EQ(refused({.rows = 0, .height = 2, .width = 2}), "max_pool2d: rows: got 0, needs at least 1");
    EXPECT_EQ(refused({.channels = 0, .height = 2, .width = 2}),
              "max_pool2d: channels: got 0, needs at least 1");
    EXPECT_EQ(refused({.height = 70000, .width = 2}), "max_pool2d: height: got 70000, needs at most 65535");
    EXPECT_EQ(refused({.height = 2, .width = 2, .kernel = 0}), "max_pool2d: kernel: got 0, needs at least 1");
    EXPECT_EQ(refused({.height = 2, .width = 2, .dilation = 0}),
              "max_pool2d: dilation: got 0, needs at least 1");
    EXPECT_EQ(refused({.height = 4, .width = 4, .kernel = 3, .padding = 2}),
              "max_pool2d: padding: got 2, needs at most half of kernel = 3");
    EXPECT_EQ(refused({.height = 3, .width = 2, .kernel = 3}),
              "max_pool2d: width: got 2, needs room for a window of 3 with the padding");
    EXPECT_EQ(refused({.height = 4, .width = 4, .dilation = 4}),
              "max_pool2d: height: got 4, needs room for a window of 5 with the padding");
    EXPECT_EQ(refused({.height = 1, .width = 4, .kernel = 2, .padding = 1, .dilation = 2}),
              "max_pool2d: padding: got 1, needs less: a window would have nothing but padding");
    EXPECT_EQ(refused({.height = 300, .width = 300, .kernel = 200}),
              "max_pool2d: kernel: got 200 x 200 values, needs fewer");
    EXPECT_EQ(refusal([] { AveragePool2d(test_device(), {.height = 3, .width = 3, .padding = 2}); }),
              "average_pool2d: padding: got 2, needs at most half of kernel = 2");
    EXPECT_EQ(refusal([] {
                  AdaptiveAveragePool2d(test_device(), {.height = 3, .output = {1, 0}});
              }),
              "adaptive_average_pool2d: output.width: got 0, needs at least 1");
    EXPECT_EQ(refusal([] { AdaptiveAveragePool2d(test_device(), {.height = 300, .width = 300}); }),
              "adaptive_average_pool2d: bins: got 300 x 300 values, needs fewer");
}

TEST(Pooling, Arguments) {
    const MaxPool2d pool(test_device(), {.channels = 3, .height = 4, .width = 4});
    const Buffer all(test_device(), 4096, "all");
    const auto forward = [&](const std::function<void(MaxPool2d::Forward&)>& change) {
        MaxPool2d::Forward arguments{
            .x = all.view(0, 192), .y = all.view(256, 48), .indices = all.view(512, 48)};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { pool.forward(recorder, arguments); });
    };
    EXPECT_EQ(forward([](auto&) {}), "no error");
    EXPECT_EQ(forward([](auto& a) { a.x = {}; }), "max_pool2d.forward: x: got no buffer, needs 192 bytes");
    EXPECT_EQ(forward([](auto& a) { a.y.bytes = 44; }), "max_pool2d.forward: y: got 44 bytes, needs 48");
    EXPECT_EQ(forward([](auto& a) { a.indices.offset = 256; }),
              "max_pool2d.forward: y: got memory that overlaps indices, needs memory of its own");
    const auto backward = [&](const std::function<void(MaxPool2d::Backward&)>& change) {
        MaxPool2d::Backward arguments{
            .dy = all.view(256, 48), .indices = all.view(512, 48), .dx = all.view(0, 192)};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { pool.backward(recorder, arguments); });
    };
    EXPECT_EQ(backward([](auto&) {}), "no error");
    EXPECT_EQ(backward([](auto& a) { a.indices = {}; }),
              "max_pool2d.backward: indices: got no buffer, needs 48 bytes");
    EXPECT_EQ(backward([](auto& a) { a.dx.offset = 128; }),
              "max_pool2d.backward: dx: got offset 128, needs a multiple of 256");

    const AveragePool2d average(test_device(), {.channels = 3, .height = 4, .width = 4});
    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          average.forward(recorder, {.x = all.view(0, 192), .y = all.view(0, 48)});
                      }),
              "average_pool2d.forward: y: got memory that overlaps x, needs memory of its own");
    const AdaptiveAveragePool2d adaptive(test_device(), {.channels = 3, .height = 4, .width = 4});
    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          adaptive.backward(recorder, {.dy = all.view(0, 12), .dx = all.view(256, 191)});
                      }),
              "adaptive_average_pool2d.backward: dx: got 191 bytes, needs 192");
}

}  // namespace
}  // namespace vknorm::testing
