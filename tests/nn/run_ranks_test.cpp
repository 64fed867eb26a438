// Ranks of one process, without a device: what reaches whom, and that nobody waits for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include <vknorm/exchange.hpp>

namespace vknorm::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;

Exchange::Message message(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

/// What run_ranks throws.
std::string error_of(uint32_t size, const std::function<void(Exchange&)>& rank,
                     std::chrono::milliseconds time_out = 60s) {
    try {
        run_ranks(size, rank, time_out);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "no error";
}

TEST(RunRanks, GatherInTheOrderOfRanks) {
    for (const uint32_t size : {1u, 2u, 3u, 5u})
        run_ranks(size, [size](Exchange& exchange) {
            EXPECT_EQ(exchange.size(), size);
            for (int round = 0; round < 20; ++round) {
                // Lengths differ.
                const auto text = [&](uint32_t rank) {
                    return std::string(rank, 'x') + std::to_string(round);
                };
                const auto all = gather(exchange, "round", message(text(exchange.rank())));
                ASSERT_EQ(all.size(), size);
                for (uint32_t r = 0; r < size; ++r) EXPECT_EQ(all[r], message(text(r)));
            }
            barrier(exchange, "barrier");
            Exchange::Message data = message(exchange.rank() == 0 ? "zero" : "none");
            broadcast(exchange, "broadcast", data);
            EXPECT_EQ(data, message("zero"));
        });
}

TEST(RunRanks, GroupsKeepToThemselves) {
    run_ranks(5, [](Exchange& exchange) {
        const auto all = gather(exchange, "pairs", message(std::to_string(exchange.rank())), 2);
        std::vector<Exchange::Message> expected = {message("0"), message("1")};
        if (exchange.rank() >= 2) expected = {message("2"), message("3")};
        if (exchange.rank() == 4) expected = {message("4")};
        EXPECT_EQ(all, expected);
    });
}

TEST(RunRanks, WhoDoesNotComeIsNamed) {
    const std::string error = error_of(
        3,
        [](Exchange& exchange) {
            if (exchange.rank() == 1) std::this_thread::sleep_for(200ms);
            gather(exchange, "step 4, 0.norm forward", {});
        },
        50ms);
    EXPECT_THAT(error, AnyOf(HasSubstr("rank 0: "), HasSubstr("rank 2: ")));
    EXPECT_THAT(error, HasSubstr("step 4, 0.norm forward"));
    EXPECT_THAT(error, HasSubstr("after 50 ms no answer from rank 1"));
}

TEST(RunRanks, WhoLeavesIsNamed) {
    EXPECT_THAT(error_of(2,
                         [](Exchange& exchange) {
                             if (exchange.rank() == 0) gather(exchange, "step 2, begin", {});
                         }),
                HasSubstr("step 2, begin: rank 0: has left: rank 1"));
}

TEST(RunRanks, WhoIsElsewhereIsNamed) {
    EXPECT_THAT(error_of(2,
                         [](Exchange& exchange) {
                             // One of them skips a layer.
                             if (exchange.rank() == 0) gather(exchange, "step 3, 0.norm forward", {});
                             gather(exchange, "step 3, 1.norm forward", {});
                         }),
                AnyOf(HasSubstr("step 3, 0.norm forward: rank 0: rank 1 is at \"step 3, 1.norm forward\""),
                      HasSubstr("step 3, 1.norm forward: rank 1: rank 0 is at \"step 3, 0.norm forward\"")));
}

TEST(RunRanks, TheFirstErrorIsThrownAndTheOthersHearOfIt) {
    std::string heard;
    const std::string error = error_of(2, [&](Exchange& exchange) {
        if (exchange.rank() == 1) throw std::runtime_error("out of film");
        try {
            gather(exchange, "begin", {});
        } catch (const ExchangeError& told) {
            heard = told.what();
            throw;
        }
    });
    EXPECT_EQ(error, "out of film");
    EXPECT_EQ(heard, "begin: rank 0: rank 1: out of film");
}

TEST(RunRanks, NeedsARank) {
    EXPECT_THAT(error_of(0, [](Exchange&) {}), HasSubstr("run_ranks: size: got 0"));
}

}  // namespace
}  // namespace vknorm::testing
