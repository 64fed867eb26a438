// The seam of a training step: what is exchanged, when, and what follows from it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vknorm/network.hpp>

#include "nn/network_problem.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using reference::NetworkReference;
using reference::Step;
using reference::tensors_of;

// 2^-16 after a few steps: what float32 makes of two orders of additions, with their growth.
constexpr double bound = 1.0 / 65536;

NetworkOptions exchange_options(Exchange* exchange, Norm norm = Norm::batch) {
    return {.inputs = 6,
            .hidden = {{20, norm, Activation::relu}, {13, norm, Activation::tanh}},
            .classes = 3,
            .max_batch = 48,
            .seed = 9,
            .exchange = exchange};
}

/// Nobody else is there.
class Alone : public Exchange {
  public:
    void all_reduce(Stream&, const ExchangedBuffer& part) override { parts.push_back(part); }

    /// Such as "0.norm forward: moments, 320 bytes".
    std::vector<std::string> log() const {
        std::vector<std::string> lines;
        for (const ExchangedBuffer& part : parts) {
            static constexpr std::array contents = {"moments", "sums", "gradient"};
            lines.push_back(part.name + ": " + contents[static_cast<size_t>(part.contents)] + ", " +
                            std::to_string(part.buffer.bytes) + " bytes");
        }
        return lines;
    }

    std::vector<ExchangedBuffer> parts;
};

/// Another one has the same examples.
class Twins : public Exchange {
  public:
    void all_reduce(Stream& stream, const ExchangedBuffer& part) override {
        if (part.contents == Exchanged::moments) {
            auto moments = stream.download<ChannelMoments>(part.buffer);
            for (ChannelMoments& channel : moments) {
                channel.count *= 2;
                channel.squares *= 2;
            }
            stream.upload(part.buffer, moments);
        } else if (part.contents == Exchanged::sums) {
            auto sums = stream.download<ChannelSums>(part.buffer);
            for (ChannelSums& channel : sums)
                for (float* number : {&channel.dy, &channel.dy_lost, &channel.dy_x, &channel.dy_x_lost})
                    *number *= 2;
            stream.upload(part.buffer, sums);
        }
        // The mean of two equal gradients is either of them.
    }
};

Ticket step(Network& network, const Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

void expect_equal_tensors(Network& got, Network& expected, const char* what) {
    for (const std::string& name : expected.tensor_names()) {
        const std::vector<float> values = expected.tensor(name);
        expect_near(what, got.tensor(name), reference::Values(values.begin(), values.end()), bound);
    }
}

TEST(Exchange, SeesEveryHookInOrder) {
    std::mt19937_64 random = random_generator();
    Alone alone;
    Network network(test_device(), exchange_options(&alone));
    const Labelled batch = random_batch(random, network.options(), 24);
    (void)network.result(step(network, batch));
    // Tensors in whole steps of 256 bytes: weights 6 x 20, 20, 20 x 13, 13, 13 x 3, 3; gamma and beta.
    const uint64_t weights = 512 + 256 + 1280 + 256 + 256 + 256, affine = 4 * 256;
    const std::vector<std::string> norms = {
        "0.norm forward: moments, 320 bytes", "1.norm forward: moments, 208 bytes",
        "1.norm backward: sums, 208 bytes", "0.norm backward: sums, 320 bytes"};
    std::vector<std::string> expected = norms;
    expected.push_back("gradient: gradient, " + std::to_string(weights + affine) + " bytes");
    EXPECT_EQ(alone.log(), expected);

    alone.parts.clear();
    network.set_train_affine(false);
    (void)network.result(step(network, batch));
    expected.back() = "gradient: gradient, " + std::to_string(weights) + " bytes";
    EXPECT_EQ(alone.log(), expected);

    alone.parts.clear();
    (void)network.evaluate(batch.inputs, batch.labels, Statistics::batch);
    (void)network.predict(batch.inputs, Statistics::running);
    EXPECT_THAT(alone.log(), ::testing::IsEmpty());

    network.set_statistics(Statistics::running);
    (void)network.result(step(network, batch));
    EXPECT_EQ(alone.log(), std::vector<std::string>{expected.back()});
}

TEST(Exchange, AStepWithoutOneIsOneSubmission) {
    std::mt19937_64 random = random_generator();
    Alone alone;
    Network without(test_device(), exchange_options(nullptr)), with(test_device(), exchange_options(&alone));
    const Labelled batch = random_batch(random, without.options(), 24);
    const Ticket first = step(without, batch), first_with = step(with, batch);
    EXPECT_EQ(step(without, batch), first + 1);
    EXPECT_EQ(step(with, batch), first_with + 6) << "five exchanges";
}

// Where others have nothing to add, segments are another way to the same.
TEST(Exchange, AloneIsLikeWithout) {
    std::mt19937_64 random = random_generator();
    Alone alone;
    Network without(test_device(), exchange_options(nullptr)), with(test_device(), exchange_options(&alone));
    for (const size_t rows : {24u, 48u, 2u}) {
        const Labelled batch = random_batch(random, without.options(), rows);
        const StepResult expected = without.result(step(without, batch)),
                         got = with.result(step(with, batch));
        EXPECT_NEAR(got.loss, expected.loss, bound);
        EXPECT_NEAR(got.gradient_norm, expected.gradient_norm, bound);
        expect_equal_tensors(with, without, "alone in an exchange");
    }
}

// Two with the same half of a batch are one with the whole.
TEST(Exchange, TwinsAreLikeOneWithBothHalves) {
    std::mt19937_64 random = random_generator();
    Twins twins;
    Network whole(test_device(), exchange_options(nullptr)), half(test_device(), exchange_options(&twins));
    for (int i = 0; i < 3; ++i) {
        const Labelled batch = random_batch(random, whole.options(), 24);
        Labelled both = batch;
        both.inputs.insert(both.inputs.end(), batch.inputs.begin(), batch.inputs.end());
        both.labels.insert(both.labels.end(), batch.labels.begin(), batch.labels.end());
        EXPECT_NEAR(half.result(step(half, batch)).loss, whole.result(step(whole, both)).loss, bound);
        expect_equal_tensors(half, whole, "twins in an exchange");
    }
}

TEST(Exchange, RefusesNormsWhoseStatisticsCannotBeShared) {
    Alone alone;
    for (const Norm norm : {Norm::ghost, Norm::batch_renorm}) {
        try {
            Network(test_device(), exchange_options(&alone, norm));
            FAIL() << name(norm);
        } catch (const std::invalid_argument& error) {
            EXPECT_THAT(error.what(), ::testing::HasSubstr("network: exchange: got a node \"0.norm\""));
        }
    }
    for (const Norm norm : {Norm::none, Norm::layer}) {
        Network network(test_device(), exchange_options(&alone, norm));
        EXPECT_EQ(network.steps(), 0u);
    }
}

}  // namespace
}  // namespace vknorm::testing
