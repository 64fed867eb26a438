// Ranks that cannot go on: all hear of it in time, and why.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "nn/ranks.hpp"

namespace vknorm::testing {
namespace {

using reference::Labelled;
using ::testing::HasSubstr;

/// What each rank's call throws; and its kind, "refused", "diverged" or "exchange".
std::vector<std::string> errors_of(uint32_t size, const NetworkOptions& options,
                                   const std::function<void(Exchange&, Network&)>& call,
                                   std::chrono::milliseconds time_out = std::chrono::seconds(60)) {
    std::vector<std::string> errors(size, "no error");
    run_ranks(
        size,
        [&](Exchange& exchange) {
            NetworkOptions own = options;
            own.exchange = &exchange;
            Network network(test_device(), own);
            try {
                call(exchange, network);
            } catch (const std::invalid_argument& error) {
                errors[exchange.rank()] = std::string("refused: ") + error.what();
            } catch (const Diverged& error) {
                errors[exchange.rank()] = std::string("diverged: ") + error.what();
            } catch (const ExchangeError& error) {
                errors[exchange.rank()] = std::string("exchange: ") + error.what();
            }
        },
        time_out);
    return errors;
}

TEST(ExchangeFailure, OneValueOfAllRanksIsRefusedByAllAlike) {
    const Labelled batch = batches_for(shared_options(), 24, 1)[0];
    const auto errors = errors_of(3, shared_options(), [&](Exchange& exchange, Network& network) {
        EXPECT_EQ(refusal([&] {
                      step(network, shard_of(batch, {0, 0, 0}, exchange.rank()));
                  }),
                  "network.train_step: labels: got 0 rows on all ranks, needs at least 1");
        const std::string one = refusal([&] { step(network, shard_of(batch, {0, 1, 0}, exchange.rank())); });
        EXPECT_EQ(one,
                  "network.train_step: expected more than 1 value per channel when training, got input size "
                  "[1, 20]");
        // And go on.
        (void)network.result(step(network, shard_of(batch, {1, 1, 0}, exchange.rank())));
    });
    EXPECT_EQ(errors, std::vector<std::string>(3, "no error"));
}

TEST(ExchangeFailure, LearningRatesAreThoseOfAll) {
    const Labelled batch = batches_for(shared_options(), 24, 1)[0];
    for (const std::string& error : errors_of(2, shared_options(), [&](Exchange&exchange, Network&network) {
             network.set_learning_rate(exchange.rank() == 0 ? 0.1f : 0.2f);
             step(network, shard_of(batch, {12, 12}, exchange.rank()));
         }))
        EXPECT_THAT(error, HasSubstr("refused: network.train_step: learning_rate: got 0.200000 on rank 1"));
}

TEST(ExchangeFailure, APlantedDifferenceIsFoundAndNamed) {
    const Labelled batch = batches_for(shared_options(), 24, 1)[0];
    NetworkOptions options = shared_options();
    options.compare_every = 3;
    for (const std::string& error : errors_of(3, options, [&](Exchange&exchange, Network&network) {
             for (int i = 0; i < 8; ++i) {
                 step(network, shard_of(batch, {8, 8, 8}, exchange.rank()));
                 if (i != 3 || exchange.rank() != 2) continue;
                 std::vector<float> variance = network.tensor("1.norm.running_var");
                 variance[4] += 0.001f;
                 network.set_tensor("1.norm.running_var", variance);
             }
         }))
        EXPECT_THAT(error,
                    HasSubstr("step 7, comparison: \"1.norm.running_var\" of rank 2 is not that of rank 0"));
}

TEST(ExchangeFailure, WhatFailsOnOneRankEndsAll) {
    const Labelled batch = batches_for(shared_options(), 24, 1)[0];
    const auto errors = errors_of(3, shared_options(), [&](Exchange& exchange, Network& network) {
        step(network, shard_of(batch, {8, 8, 8}, exchange.rank()));
        Labelled own = shard_of(batch, {8, 8, 8}, exchange.rank());
        if (exchange.rank() == 1) own.labels[3] = 77;
        step(network, own);
    });
    EXPECT_EQ(errors[1], "refused: network.train_step: labels[3]: got 77, needs below 3");
    for (const size_t other : {0, 2})
        EXPECT_THAT(errors[other],
                    HasSubstr("rank 1, step 2: network.train_step: labels[3]: got 77, needs below 3"));
}

TEST(ExchangeFailure, WhoRunsOutOfDataOrSleepsIsNamed) {
    const Labelled batch = batches_for(shared_options(), 24, 1)[0];
    for (const bool sleeps : {false, true}) {
        const auto errors = errors_of(
            2, shared_options(),
            [&](Exchange& exchange, Network& network) {
                for (int i = 0; i < 3; ++i) {
                    if (i == 2 && exchange.rank() == 1) {
                        if (!sleeps) return;
                        std::this_thread::sleep_for(std::chrono::milliseconds(1500));
                    }
                    step(network, shard_of(batch, {12, 12}, exchange.rank()));
                }
            },
            std::chrono::milliseconds(1000));
        EXPECT_THAT(errors[0], HasSubstr("exchange: step 3, begin: rank 0: "));
        EXPECT_THAT(errors[0], HasSubstr(sleeps ? "no answer from rank 1" : "has left: rank 1"));
    }
}

TEST(ExchangeFailure, DivergenceOfOneRankIsThatOfAll) {
    const Labelled batch = batches_for(shared_options(Norm::layer), 24, 1)[0];
    for (const std::string& error :
         errors_of(2, shared_options(Norm::layer), [&](Exchange&exchange, Network&network) {
             Labelled own = shard_of(batch, {12, 12}, exchange.rank());
             step(network, own);
             if (exchange.rank() == 1) own.inputs[20] = std::numeric_limits<float>::infinity();
             step(network, own);
             step(network, shard_of(batch, {12, 12}, exchange.rank()));
         }))
        EXPECT_THAT(error, HasSubstr("diverged: network.train_step: refused: step 2: "));
}

TEST(ExchangeFailure, RefusesNormsWhoseStatisticsCannotBeShared) {
    run_ranks(1, [](Exchange& exchange) {
        for (const Norm norm : {Norm::ghost, Norm::batch_renorm}) {
            NetworkOptions options = shared_options(norm);
            options.exchange = &exchange;
            EXPECT_THAT(refusal([&] { Network(test_device(), options); }),
                        HasSubstr("network: exchange: got a node \"0.norm\""));
        }
    });
}

}  // namespace
}  // namespace vknorm::testing
