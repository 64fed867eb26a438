#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

#include <vknorm/data.hpp>

#include "support/data_files.hpp"

namespace vknorm {
namespace {

/// Example i holds i and 1000 + i, label i % classes.
Dataset numbered(size_t size, uint32_t classes = 3) {
    Dataset data{2, classes, 0, 0, {}, {}};
    for (size_t i = 0; i < size; ++i) {
        data.inputs.insert(data.inputs.end(), {static_cast<float>(i), static_cast<float>(1000 + i)});
        data.labels.push_back(static_cast<uint32_t>(i % classes));
    }
    return data;
}

TEST(BatchOrder, EveryEpochVisitsEveryExampleOnce) {
    BatchOrder order(12, 4, 1);
    std::set<std::vector<uint32_t>> orders;
    for (int epoch = 0; epoch < 20; ++epoch) {
        std::vector<uint32_t> visited;
        for (int k = 0; k < 3; ++k) {
            EXPECT_DOUBLE_EQ(order.epoch(), epoch + k / 3.0);
            const auto batch = order.next();
            ASSERT_EQ(batch.size(), 4u);
            visited.insert(visited.end(), batch.begin(), batch.end());
        }
        orders.insert(visited);
        std::sort(visited.begin(), visited.end());
        for (uint32_t i = 0; i < 12; ++i) EXPECT_EQ(visited[i], i);
    }
    EXPECT_EQ(orders.size(), 20u) << "epochs repeat an order";
}

TEST(BatchOrder, IncompleteBatchIsDroppedAndNobodyIsLeftOutForLong) {
    BatchOrder order(10, 4, 2);
    std::vector<int> visits(10);
    for (int epoch = 0; epoch < 200; ++epoch) {
        std::set<uint32_t> visited;
        for (int k = 0; k < 2; ++k)
            for (const uint32_t index : order.next()) {
                visited.insert(index);
                ++visits.at(index);
            }
        EXPECT_EQ(visited.size(), 8u);
        EXPECT_DOUBLE_EQ(order.epoch(), epoch + 1);
    }
    for (const int count : visits) EXPECT_NEAR(count, 160, 35);
}

TEST(BatchOrder, GoesOnFromAnyBatch) {
    for (const size_t batch : {3u, 5u, 10u, 7u}) {
        BatchOrder whole(10, batch, 3);
        std::vector<std::vector<uint32_t>> batches;
        for (int i = 0; i < 12; ++i) {
            const auto next = whole.next();
            batches.emplace_back(next.begin(), next.end());
        }
        for (uint64_t start = 0; start < batches.size(); ++start) {
            BatchOrder order(10, batch, 3), counted(10, batch, 3);
            for (uint64_t i = 0; i < start; ++i) counted.next();
            order.next();
            order.seek(start);
            EXPECT_EQ(order.taken(), start);
            EXPECT_EQ(counted.taken(), start);
            EXPECT_EQ(order.epoch(), counted.epoch());
            for (uint64_t i = start; i < batches.size(); ++i) {
                const auto next = order.next();
                EXPECT_EQ(std::vector<uint32_t>(next.begin(), next.end()), batches[i])
                    << batch << " " << start;
            }
        }
    }
}

TEST(BatchOrder, IsDeterminedBySeed) {
    BatchOrder a(100, 7, 5), b(100, 7, 5), c(100, 7, 6);
    int differ = 0;
    for (int k = 0; k < 50; ++k) {
        const auto x = a.next(), y = b.next(), z = c.next();
        EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin()));
        differ += !std::equal(x.begin(), x.end(), z.begin());
    }
    EXPECT_GT(differ, 45);
    // The same on every platform, so that runs can be compared between machines.
    BatchOrder golden(8, 8, 42);
    const auto first = golden.next();
    EXPECT_EQ(std::vector(first.begin(), first.end()), (std::vector<uint32_t>{1, 6, 4, 7, 5, 2, 3, 0}));
}

TEST(BatchOrder, WholeSetAsOneBatchAndSingleExamples) {
    BatchOrder whole(5, 5, 1), single(1, 1, 1);
    EXPECT_EQ(whole.next().size(), 5u);
    EXPECT_DOUBLE_EQ(whole.epoch(), 1);
    whole.next();
    EXPECT_DOUBLE_EQ(whole.epoch(), 2);
    EXPECT_EQ(single.next()[0], 0u);
    EXPECT_EQ(single.next()[0], 0u);
}

TEST(BatchOrder, RefusesImpossibleBatches) {
    const auto message = [](size_t size, size_t batch) {
        return test::message_of<std::invalid_argument>([&] { BatchOrder(size, batch, 1); });
    };
    EXPECT_EQ(message(10, 0), "BatchOrder: batch: got 0, needs 1 to 10");
    EXPECT_EQ(message(10, 11), "BatchOrder: batch: got 11, needs 1 to 10");
    EXPECT_EQ(message(0, 1), "BatchOrder: size: got 0, needs 1 to 4294967295");
}

TEST(Pick, TakesExamplesInTheOrderAsked) {
    const std::vector<uint32_t> indices = {4, 0, 4};
    const Dataset part = pick(numbered(5), indices);
    EXPECT_EQ(part.labels, (std::vector<uint32_t>{1, 0, 1}));
    EXPECT_EQ(part.inputs, (std::vector<float>{4, 1004, 0, 1000, 4, 1004}));
    const std::vector<uint32_t> beyond = {5};
    EXPECT_EQ(test::message_of<std::invalid_argument>([&] { pick(numbered(5), beyond); }),
              "pick: indices: got 5, needs less than 5");
}

TEST(Split, KeepsEveryExampleWithItsLabel) {
    Dataset data = numbered(10);
    data.image_width = 2;
    data.image_height = 1;
    const std::pair parts = split(data, 3, 1);
    ASSERT_EQ(parts.first.size(), 3u);
    ASSERT_EQ(parts.second.size(), 7u);
    std::set<float> seen;
    for (const Dataset* part : {&parts.first, &parts.second}) {
        EXPECT_EQ(part->features, 2u);
        EXPECT_EQ(part->classes, 3u);
        EXPECT_EQ(part->image_width, 2u);
        EXPECT_EQ(part->image_height, 1u);
        for (size_t i = 0; i < part->size(); ++i) {
            const auto example = part->example(i);
            seen.insert(example[0]);
            EXPECT_EQ(example[1], example[0] + 1000);
            EXPECT_EQ(part->labels[i], static_cast<uint32_t>(example[0]) % 3);
        }
    }
    EXPECT_EQ(seen.size(), 10u);
    EXPECT_EQ(split(data, 3, 1).first.inputs, parts.first.inputs);
    EXPECT_NE(split(data, 10, 1).first.inputs, data.inputs) << "is not shuffled";
    EXPECT_NE(split(data, 10, 1).first.inputs, split(data, 10, 2).first.inputs);
    EXPECT_EQ(split(data, 10, 1).second.size(), 0u);
    EXPECT_EQ(split(data, 0, 1).first.size(), 0u);
}

TEST(Split, RefusesMoreThanThereIs) {
    EXPECT_EQ(test::message_of<std::invalid_argument>([] { split(numbered(10), 11, 1); }),
              "split: first: got 11, needs at most 10");
    Dataset torn = numbered(10);
    torn.inputs.pop_back();
    EXPECT_EQ(test::message_of<std::invalid_argument>([&] { split(torn, 1, 1); }),
              "split: data: got 19 values, needs 10 x 2");
}

TEST(Standardize, UsesTheTrainingSetsMeanAndDeviation) {
    Dataset train{2, 2, 0, 0, {1, 10, 3, 10, 5, 10, 7, 10}, {0, 1, 0, 1}};
    Dataset test{2, 2, 0, 0, {4, 12}, {0}};
    standardize(train, test);
    const float unit = 1 / std::sqrt(5.0f);
    const std::vector<float> expected{-3 * unit, 0, -unit, 0, unit, 0, 3 * unit, 0};
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(train.inputs[i], expected[i]);
    EXPECT_EQ(test.inputs, (std::vector<float>{0, 2}));
}

TEST(BatchOrder, OneThatWasMovedFromSaysSo) {
    BatchOrder order(10, 3, 1);
    order.next();
    BatchOrder taken = std::move(order);
    EXPECT_EQ(test::message_of<std::invalid_argument>([&] { order.next(); }), "BatchOrder: was moved from");
    EXPECT_EQ(taken.next().size(), 3u);
}

// A mean of 1e6 with a deviation of 0.1 is lost by float32 sums, and by E[x^2] - E[x]^2 in float64.
TEST(Standardize, SurvivesALargeMean) {
    constexpr size_t size = 100000;
    Dataset train{2, 1, 0, 0, {}, std::vector<uint32_t>(size)};
    for (size_t i = 0; i < size; ++i)
        train.inputs.insert(train.inputs.end(), {i % 2 == 0 ? 1e6f : 1e6f + 0.125f, 0.1f});
    Dataset test = train;
    standardize(train, test);
    for (size_t i = 0; i < size; ++i) {
        ASSERT_EQ(train.example(i)[0], i % 2 == 0 ? -1.0f : 1.0f);
        ASSERT_EQ(train.example(i)[1], 0.0f) << "a constant feature is only centred";
    }
    EXPECT_EQ(train.inputs, test.inputs);
}

TEST(Standardize, RefusesSetsThatDoNotMatch) {
    Dataset two = numbered(4), three{3, 2, 0, 0, {1, 2, 3}, {0}}, none{2, 3, 0, 0, {}, {}};
    EXPECT_EQ(test::message_of<std::invalid_argument>([&] { standardize(two, three); }),
              "standardize: test: got 3 features, needs 2");
    EXPECT_EQ(test::message_of<std::invalid_argument>([&] { standardize(none, two); }),
              "standardize: train: got 0 examples, needs at least 1");
    EXPECT_EQ(two.inputs, numbered(4).inputs);
}

}  // namespace
}  // namespace vknorm
