// Augmentation against its published generator: which pixels go where, how often, and what is refused.
#include "reference/augment.hpp"

#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

std::vector<float> augmented(const AugmentOptions& options, const std::vector<float>& x,
                             const AugmentChoice* choice) {
    const Augment augment(test_device(), options);
    const GuardedBuffer input(x, "x", true), y(4 * x.size(), "y", true);
    run([&](Recorder& recorder) {
        if (choice)
            augment.training(recorder, {.x = input, .y = y}, *choice);
        else
            augment.evaluation(recorder, {.x = input, .y = y});
    });
    return y.download();
}

/// A difference and a quotient, whose divisor's inverse is rounded, too.
std::vector<double> bounds(const AugmentOptions& options, const std::vector<double>& values) {
    double largest = 0;
    for (const float mean : options.mean) largest = std::max(largest, std::abs(double{mean}));
    for (const float deviation : options.deviation) largest = std::max(largest, 1 / double{deviation});
    std::vector<double> bounds;
    for (const double value : values) bounds.push_back(0x1p-22 * (std::abs(value) + largest));
    return bounds;
}

TEST(Augment, IsTheReference) {
    std::mt19937_64 random = random_generator();
    for (const AugmentOptions& options :
         {AugmentOptions{.rows = 9, .channels = 3, .height = 8, .width = 5, .padding = 2, .flip = true},
          AugmentOptions{.rows = 1, .channels = 1, .height = 1, .width = 7, .flip = true},
          AugmentOptions{.rows = 5, .channels = 6, .height = 4, .width = 4, .padding = 3},
          AugmentOptions{.rows = 7,
          .channels = 3,
          .height = 6,
          .width = 9,
          .padding = 1,
          .flip = true,
          .mean = {0.5f, -1, 2},
          .deviation = {0.25f, 3, 1}}}) {
        const size_t elements = size_t{options.rows} * options.channels * options.height * options.width;
        const std::vector<float> x = random_floats(random, elements);
        const AugmentChoice choice{random(), random(), static_cast<uint32_t>(random())};
        const std::vector<double> trained = reference::augmented(options, choice, true, x),
                                  evaluated = reference::augmented(options, choice, false, x);
        const std::vector<float> y = augmented(options, x, &choice);
        expect_near("augment", y, trained, bounds(options, trained));
        expect_near("augment", augmented(options, x, nullptr), evaluated, bounds(options, evaluated));
        EXPECT_EQ(augmented(options, x, &choice), y) << "another run";
        if (options.mean.empty()) {
            EXPECT_TRUE(std::equal(y.begin(), y.end(), trained.begin())) << "moved only";
        }
    }
}

TEST(Augment, EveryPlaceIsAsLikelyAsTheOthers) {
    constexpr uint32_t rows = 1800, padding = 1;  // 64 KiB, which any device takes
    std::vector<float> x(size_t{rows} * 9);       // the middle of each picture
    for (size_t row = 0; row < rows; ++row) x[9 * row + 4] = 1;
    const AugmentChoice choice{.seed = 3, .step = 8, .layer = 2};
    const std::vector<float> y =
        augmented({.rows = rows, .height = 3, .width = 3, .padding = padding, .flip = true}, x, &choice);
    std::vector<double> found(9);
    for (size_t i = 0; i < y.size(); ++i) found[i % 9] += double{y[i]};
    // Five standard deviations.
    for (const double count : found) EXPECT_NEAR(count, rows / 9.0, 5 * std::sqrt(rows / 9.0 * 8 / 9));
}

TEST(Augment, InANetworkOnlyTrainingMovesPictures) {
    std::mt19937_64 random = random_generator();
    Graph graph({2, 5, 6});
    const NodeId x = graph.augment(graph.input(), {.padding = 2, .flip = true, .mean = {1, 2}});
    graph.linear(graph.flatten(x), {.units = 3});
    Network network(test_device(), graph, {.max_batch = 4, .seed = 5});
    network.set_probes({{.node = "augment", .options = {.unit = 0}}});
    const std::vector<float> inputs = random_floats(random, 4 * 60);
    const std::vector<uint32_t> labels = {0, 1, 2, 0};
    const AugmentOptions options{
        .rows = 4, .channels = 2, .height = 5, .width = 6, .padding = 2, .flip = true, .mean = {1, 2}};
    for (uint64_t step = 1; step <= 3; ++step) {
        const StepResult result = network.result(network.train_step(inputs, labels));
        const AugmentChoice choice{.seed = 5, .step = step, .layer = reference::dropout_layer("augment")};
        const std::vector<double> expected = reference::augmented(options, choice, true, inputs);
        double mean = 0;
        for (size_t row = 0; row < 4; ++row)
            for (size_t i = 0; i < 30; ++i) mean += expected[row * 60 + i] / 120;
        EXPECT_NEAR(result.probes.at("augment.output[0]").mean, mean, 1e-6);
    }
    const std::vector<double> expected = reference::augmented(options, {}, false, inputs);
    expect_near("augment", network.output("augment", inputs, Statistics::running), expected,
                bounds(options, expected));
}

TEST(Augment, Options) {
    const auto refused = [](const AugmentOptions& options) {
        return refusal([&] { Augment(test_device(), options); });
    };
    EXPECT_EQ(refused({.rows = 0}), "augment: rows: got 0, needs at least 1");
    EXPECT_EQ(refused({.height = 4, .width = 3, .padding = 3}),
              "augment: padding: got 3, needs less than height and width");
    EXPECT_EQ(refused({.channels = 3, .mean = {1, 2}}),
              "augment: mean: got 2 numbers, needs one for each of 3 channels, at most 4");
    EXPECT_EQ(refused({.channels = 1, .deviation = {0}}),
              "augment: deviation: got 0.000000, needs numbers above 0");
    Graph graph({1, 4, 4});
    const NodeId x = graph.augment(graph.conv2d(graph.input(), {.channels = 2}), {.flip = true});
    graph.linear(graph.flatten(x), {.units = 2});
    EXPECT_EQ(
        refusal([&] { Network(test_device(), graph); }),
        "network: graph: got \"augment\" behind a layer that is trained, needs augmentation of what the "
        "graph is given");
    const Augment augment(test_device(), {.height = 2, .width = 2});
    const Buffer all(test_device(), 1024, "all");
    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          augment.evaluation(recorder, {.x = all.view(0, 16), .y = all.view(256, 12)});
                      }),
              "augment.evaluation: y: got 12 bytes, needs 16");
}

}  // namespace
}  // namespace vknorm::testing
