// Softmax and cross-entropy against float64.
//
// Bounds follow Vulkan's precision: exp(x) within (3 + 2 |x|) ULP, log(x) within 3 ULP or, for x in [0.5, 2],
// 2^-21 absolute; division within 2.5 ULP. With logits that differ by at most d, C classes and ULP = 2^-23:
// exp(logit - largest) is relatively off by r = (3 + 2 d + d / 2) ULP (the last for the rounding of the
// difference), their sum by r + C/2 ULP.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/softmax_cross_entropy.hpp>

#include "ops/divergence.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

struct Batch {
    uint32_t rows, classes;
    std::vector<float> logits;
    std::vector<uint32_t> labels;
    std::vector<float> class_weights{};  // empty: all are 1
    float label_smoothing = 0;

    bool plain() const { return class_weights.empty() && label_smoothing == 0; }
    double weight(size_t i) const { return class_weights.empty() ? 1 : double{class_weights[i]}; }
    double weight_sum() const {
        double sum = 0;
        for (const uint32_t label : labels) sum += weight(label);
        return sum;
    }

    Batch(std::mt19937_64& random, uint32_t r, uint32_t c, float spread)
        : rows(r), classes(c), logits(random_floats(random, size_t{r} * c, -spread, spread)) {
        for (uint32_t row = 0; row < rows; ++row) labels.push_back(static_cast<uint32_t>(random() % classes));
    }
};

struct Expected {
    std::vector<double> losses, loss_bounds, probabilities, probability_bounds, gradient, gradient_bounds;
    std::vector<uint32_t> correct;
};

Expected expect(const Batch& batch) {
    const double ulp = std::ldexp(1.0, -23);
    Expected expected;
    for (uint32_t row = 0; row < batch.rows; ++row) {
        const float* logits = batch.logits.data() + size_t{row} * batch.classes;
        const float* largest = std::max_element(logits, logits + batch.classes);
        const double distance = *largest - double{*std::min_element(logits, logits + batch.classes)};
        double others = 0;
        for (uint32_t i = 0; i < batch.classes; ++i)
            if (logits + i != largest) others += std::exp(double{logits[i]} - *largest);
        const double relative = ulp * (3 + 2.5 * distance + batch.classes / 2.0);
        const double label_distance = double{*largest} - logits[batch.labels[row]];
        // What the kernel adds up: of all classes' targets, and of the label's and the shared parts of them.
        const double share = double{batch.label_smoothing} / batch.classes,
                     own = (1 - double{batch.label_smoothing}) * batch.weight(batch.labels[row]);
        double targets = own, far = own * label_distance;
        for (uint32_t i = 0; i < batch.classes; ++i) {
            targets += share * batch.weight(i);
            far += share * batch.weight(i) * (double{*largest} - logits[i]);
        }
        expected.losses.push_back(targets * std::log1p(others) + far);
        const double sums = batch.plain() ? 0 : ulp * (batch.classes / 2.0 + 6);  // relative error
        // log: below 1/32 a series of relative error 2^-20 and a few roundings, else 2^-21 absolute and 3
        // ULP.
        const double log_error =
            others < 1 / 32. ? others * 8 * ulp : std::ldexp(1.0, -21) + 4 * ulp * std::log1p(others);
        expected.loss_bounds.push_back(targets * (relative * others / (1 + others) + log_error) +
                                       ulp * (far + expected.losses.back()) + sums * expected.losses.back() +
                                       1e-37);
        expected.correct.push_back(largest == logits + batch.labels[row]);
        for (uint32_t i = 0; i < batch.classes; ++i) {
            const double probability = std::exp(double{logits[i]} - *largest) / (1 + others);
            const double error = probability * (2 * relative + 4 * ulp);
            expected.probabilities.push_back(probability);
            const double target = (i == batch.labels[row] ? own : 0) + share * batch.weight(i);
            expected.gradient.push_back((targets * probability - target) / batch.weight_sum());
            expected.gradient_bounds.push_back((targets * error + sums * (targets * probability + target)) /
                                                   batch.weight_sum() +
                                               2 * ulp * std::abs(expected.gradient.back()) + 1e-37);
            expected.probability_bounds.push_back(error + 2 * ulp * probability + 1e-37);
        }
    }
    return expected;
}

struct Results {
    std::vector<float> losses;
    std::vector<uint32_t> correct;

    explicit Results(const std::vector<RowLoss>& rows) {
        for (const RowLoss& row : rows) {
            losses.push_back(row.loss);
            correct.push_back(row.correct);
        }
    }
};

void check(const Batch& batch) {
    SCOPED_TRACE(::testing::Message() << batch.rows << " rows, " << batch.classes << " classes");
    const GuardedBuffer logits(batch.logits, "logits", true), labels(batch.labels, "labels", true);
    const GuardedBuffer losses(sizeof(RowLoss) * batch.rows, "losses", true);
    const GuardedBuffer measured(sizeof(RowLoss) * (batch.rows + 5), "measured", true);
    const GuardedBuffer dlogits(4 * batch.logits.size(), "dlogits", true),
        probabilities(4 * batch.logits.size(), "probabilities", true);
    const SoftmaxCrossEntropy loss(test_device(), {.rows = batch.rows, .classes = batch.classes});
    Stream stream(test_device());
    const GuardedBuffer weights(
        std::vector<float>(batch.class_weights.empty() ? std::vector<float>{1} : batch.class_weights),
        "class weights", true);
    const BufferView class_weights = batch.class_weights.empty() ? BufferView{} : weights.view();
    loss.forward_backward(stream.record(),
                          {.logits = logits,
                           .labels = labels,
                           .losses = losses,
                           .dlogits = dlogits,
                           .class_weights = class_weights,
                           .label_smoothing = batch.label_smoothing,
                           .weight_sum = batch.plain() ? 0 : static_cast<float>(batch.weight_sum())});
    BufferView late = measured;
    late.offset += 5 * sizeof(RowLoss);
    late.bytes -= 5 * sizeof(RowLoss);
    loss.forward(stream.record(), {.logits = logits,
                                   .labels = labels,
                                   .losses = late,
                                   .class_weights = class_weights,
                                   .label_smoothing = batch.label_smoothing});
    loss.softmax(stream.record(), {.logits = logits, .probabilities = probabilities});
    stream.wait(stream.submit());

    const Expected expected = expect(batch);
    const std::vector<RowLoss> rows = losses.download<RowLoss>();
    const Results got(rows);
    expect_near("cross-entropy loss", got.losses, expected.losses, expected.loss_bounds);
    EXPECT_EQ(got.correct, expected.correct);
    expect_near("cross-entropy gradient", dlogits.download(), expected.gradient, expected.gradient_bounds);
    expect_near("softmax", probabilities.download(), expected.probabilities, expected.probability_bounds);
    const std::vector<RowLoss> again = measured.download<RowLoss>();
    EXPECT_EQ(std::memcmp(again.data() + 5, rows.data(), sizeof(RowLoss) * rows.size()), 0);
}

TEST(SoftmaxCrossEntropy, IsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    for (const uint32_t rows : {1u, 2u, 33u, 257u})
        for (const uint32_t classes : {1u, 2u, 10u, 31u})
            for (const float spread : {0.f, 1.f, 8.f, 60.f}) check(Batch(random, rows, classes, spread));
    check(Batch(random, 16, 1000, 4));
}

TEST(SoftmaxCrossEntropy, SmoothsAndWeighsWithinTheBound) {
    std::mt19937_64 random = random_generator();
    for (const uint32_t rows : {1u, 33u})
        for (const uint32_t classes : {2u, 10u, 31u})
            for (const float spread : {0.f, 8.f, 60.f})
                for (const bool weighted : {false, true})
                    for (const float smoothing : {0.f, 0.1f, 0.9f}) {
                        Batch batch(random, rows, classes, spread);
                        if (weighted) batch.class_weights = random_floats(random, classes, 0.1f, 3);
                        if (weighted && classes > 2) batch.class_weights[1] = 0;
                        if (batch.weight_sum() == 0) continue;
                        batch.label_smoothing = smoothing;
                        check(batch);
                    }
}

// By PyTorch 1.13 in float64, with weights and label_smoothing = 0.125.
TEST(SoftmaxCrossEntropy, GivesTheNumbersOfPytorch) {
    const std::vector<float> x = {0.5f, -1.25f, 2, 3, 0.25f, -0.75f, -2, 1.5f, 1, 0, 0, 0.125f};
    const std::vector<uint32_t> y = {0, 2, 1, 2};
    const GuardedBuffer logits(x, "logits", true), labels(y, "labels", true),
        weights(std::vector<float>{0.5f, 2, 1}, "class weights", true);
    const GuardedBuffer losses(sizeof(RowLoss) * 4, "losses", true), dlogits(4 * 12, "dlogits", true);
    run([&](Recorder& recorder) {
        SoftmaxCrossEntropy(test_device(), {.rows = 4, .classes = 3})
            .forward_backward(recorder, {.logits = logits,
                                         .labels = labels,
                                         .losses = losses,
                                         .dlogits = dlogits,
                                         .class_weights = weights,
                                         .label_smoothing = 0.125f,
                                         .weight_sum = 4.5f});
    });
    double loss = 0;
    for (const RowLoss& row : losses.download<RowLoss>()) loss += row.loss;
    EXPECT_NEAR(loss / 4.5, 1.5389660261919218, 4e-6);
    expect_near(
        "PyTorch's cross-entropy", dlogits.download(),
        std::vector{-0.07893071713422019, -0.014535422550276757, 0.09346613968449696, 0.20398020830479177,
                    -0.005182537752693063, -0.19879767055209874, 0.003143222950872651, -0.15000588119578653,
                    0.14686265824491387, 0.06777416969555139, 0.05388528080666251, -0.12165945050221393},
        1e-6);
}

TEST(SoftmaxCrossEntropy, IsExactWhenOneLogitDwarfsTheOthers) {
    std::mt19937_64 random = random_generator();
    Batch batch(random, 1, 3, 0);
    batch.logits = {3e38f, -3e38f, 0};
    batch.labels = {0};
    check(batch);
}

TEST(SoftmaxCrossEntropy, RowsThatAreNotFiniteAreToldAndLeaveTheOthersAlone) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    std::mt19937_64 random = random_generator();
    Batch batch(random, 9, 4, 2);
    batch.logits[2 * 4 + 3] = nan;
    batch.logits[7 * 4 + 1] = std::numeric_limits<float>::infinity();
    const GuardedBuffer logits(batch.logits, "logits", true), labels(batch.labels, "labels", true);
    const GuardedBuffer results(sizeof(RowLoss) * 9, "results", true), dlogits(4 * 36, "dlogits", true);
    const GuardedBuffer divergence(detail::no_divergence(2), "divergence", true);
    Stream stream(test_device());
    SoftmaxCrossEntropy(test_device(), {.rows = 9, .classes = 4})
        .forward_backward(stream.record(), {.logits = logits,
                                            .labels = labels,
                                            .losses = results,
                                            .dlogits = dlogits,
                                            .first_non_finite = detail::first_non_finite_of(divergence, 1)});
    stream.wait(stream.submit());
    const Results got(results.download<RowLoss>());
    const std::vector<float> gradient = dlogits.download();
    for (uint32_t row = 0; row < 9; ++row) {
        const bool bad = row == 2 || row == 7;
        EXPECT_EQ(std::isnan(got.losses[row]), bad) << row;
        EXPECT_EQ(std::isnan(gradient[4 * row]), bad) << row;
        EXPECT_LE(got.correct[row], bad ? 0u : 1u);
    }
    std::vector<uint32_t> expected = detail::no_divergence(2);
    expected[shaders::divergence_header + 1] = 1;
    EXPECT_EQ(divergence.download<uint32_t>(), expected);
}

TEST(SoftmaxCrossEntropy, RefusesMoreThanOneDispatchMayDo) {
    const auto options = [](const SoftmaxCrossEntropyOptions& bad) {
        return refusal([&] { SoftmaxCrossEntropy(test_device(), bad); });
    };
    EXPECT_EQ(options({.rows = 0}), "softmax_cross_entropy: rows: got 0, needs at least 1");
    EXPECT_EQ(options({.classes = 0}), "softmax_cross_entropy: classes: got 0, needs at least 1");
    EXPECT_EQ(options({.rows = 1, .classes = 10000}),
              "softmax_cross_entropy: classes: got 10000, needs at most 9999 with 1 rows");
}

TEST(SoftmaxCrossEntropy, Arguments) {
    const SoftmaxCrossEntropy loss(test_device(), {.rows = 4, .classes = 3});
    const Buffer all(test_device(), 4096, "all");
    const auto view = [&](int place, uint32_t bytes) { return all.view(256 * place, bytes); };
    const auto message = [&](const std::function<void(SoftmaxCrossEntropy::ForwardBackward&)>& change) {
        SoftmaxCrossEntropy::ForwardBackward arguments{
            .logits = view(0, 48), .labels = view(1, 16), .losses = view(2, 32), .dlogits = view(3, 48)};
        change(arguments);
        return refusal(all, [&](Recorder& recorder) { loss.forward_backward(recorder, arguments); });
    };
    EXPECT_EQ(message([](auto& a) { a.losses.offset += 8; }), "no error");
    EXPECT_EQ(message([](auto& a) { a.losses.offset += 4; }),
              "softmax_cross_entropy.forward_backward: losses: got offset 516, needs a multiple of 8");
    EXPECT_EQ(message([](auto& a) { a.logits = {}; }),
              "softmax_cross_entropy.forward_backward: logits: got no buffer, needs 48 bytes");
    EXPECT_EQ(message([](auto& a) { a.labels.bytes = 12; }),
              "softmax_cross_entropy.forward_backward: labels: got 12 bytes, needs 16");
    EXPECT_EQ(
        message([](auto& a) { a.dlogits = a.logits; }),
        "softmax_cross_entropy.forward_backward: dlogits: got memory that overlaps logits, needs memory "
        "of its own");

    EXPECT_EQ(
        message([](auto& a) { a.label_smoothing = 1; }),
        "softmax_cross_entropy.forward_backward: label_smoothing: got 1.000000, needs 0 to less than 1");
    EXPECT_EQ(message([&](auto& a) { a.class_weights = view(4, 8); }),
              "softmax_cross_entropy.forward_backward: class_weights: got 8 bytes, needs 12");
    EXPECT_EQ(message([](auto& a) { a.weight_sum = -1; }),
              "softmax_cross_entropy.forward_backward: weight_sum: got -1.000000, needs a number from 0 on");

    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          loss.forward(recorder, {.logits = view(0, 48), .labels = view(1, 16)});
                      }),
              "softmax_cross_entropy.forward: losses: got no buffer, needs 32 bytes");
    EXPECT_EQ(refusal(all,
                      [&](Recorder& recorder) {
                          loss.softmax(recorder, {.logits = view(0, 48), .probabilities = view(1, 40)});
                      }),
              "softmax_cross_entropy.softmax: probabilities: got 40 bytes, needs 48");
}

}  // namespace
}  // namespace vknorm::testing
