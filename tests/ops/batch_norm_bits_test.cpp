// The same bits run to run, in both layouts, and however memory is reached.
#include <bit>
#include <cstdio>
#include <gtest/gtest.h>

#include "data/hash.hpp"
#include "ops/batch_norm_problem.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

void add_bits(detail::Fnv1a& hash, const std::vector<float>& values) {
    for (const float value : values) hash.add(std::bit_cast<uint32_t>(value));
}

struct Results {
    Forward forward;
    Gradients gradients;
};

Results results_of(const Problem& problem) {
    Forward forward = forward_training(problem);
    Gradients gradients = backward(problem, forward);
    return {std::move(forward), std::move(gradients)};
}

/// Of everything except the tensors' own order.
detail::Fnv1a hash_of_channels(const Results& results) {
    detail::Fnv1a hash;
    for (const std::vector<float>* values :
         {&results.forward.mean, &results.forward.inv_std, &results.forward.running_mean,
          &results.forward.running_var, &results.gradients.dgamma, &results.gradients.dbeta}) {
        add_bits(hash, *values);
    }
    return hash;
}

uint64_t channels_hash(const Results& results) {
    return hash_of_channels(results).value();
}

uint64_t hash(const Results& results) {
    detail::Fnv1a all = hash_of_channels(results);
    add_bits(all, results.forward.y);
    add_bits(all, results.gradients.dx);
    return all.value();
}

TEST(BatchNormBits, RunToRun) {
    std::mt19937_64 random = random_generator();
    constexpr int runs = 20;
    for (const std::vector<uint32_t>& shape :
         {std::vector<uint32_t>{1000, 33}, {4, 6, 40, 40}, {5, 6, 17, 19}}) {
        Problem problem = random_problem({.shape = shape}, random, 100, 1);
        problem.aligned = true;
        const uint64_t expected = hash(results_of(problem));
        int same = 1;
        for (int run = 1; run < runs; ++run) same += hash(results_of(problem)) == expected;
        std::printf("%s: %d of %d runs gave the same bits\n", ::testing::PrintToString(shape).c_str(), same,
                    runs);
        EXPECT_EQ(same, runs);
    }
}

// In slices the strands are cut where the bindings end, which the layouts do at different places.
TEST(BatchNormBits, LayoutsAndAlignments) {
    if (mode().small_limits) GTEST_SKIP() << "needs tensors that fit a binding";
    std::mt19937_64 random = random_generator();
    for (const std::vector<uint32_t>& shape :
         {std::vector<uint32_t>{3, 7, 40, 36}, {5, 6, 17, 19}, {40, 3, 4}}) {
        SCOPED_TRACE(::testing::PrintToString(shape));
        Problem first = random_problem({.shape = shape}, random, 100, 1);
        Problem last = first;
        last.options.layout = Layout::channels_last;
        last.options.shape.erase(last.options.shape.begin() + 1);
        last.options.shape.push_back(shape[1]);
        const reference::Geometry from = first.geometry(), to = last.geometry();
        const auto for_each = [&](auto visit) {
            for (size_t n = 0; n < from.images; ++n) {
                for (size_t c = 0; c < from.channels; ++c) {
                    for (size_t s = 0; s < from.positions; ++s) visit(from.at(n, c, s), to.at(n, c, s));
                }
            }
        };
        for_each([&](size_t i, size_t j) {
            last.x[j] = first.x[i];
            last.dy[j] = first.dy[i];
        });
        const Results rows = results_of(first), columns = results_of(last);
        EXPECT_EQ(channels_hash(rows), channels_hash(columns));
        for_each([&](size_t i, size_t j) {
            ASSERT_EQ(rows.forward.y[i], columns.forward.y[j]);
            ASSERT_EQ(rows.gradients.dx[i], columns.gradients.dx[j]);
        });
        first.aligned = true;
        EXPECT_EQ(hash(results_of(first)), hash(rows));
    }
}

}  // namespace
}  // namespace vknorm::testing
