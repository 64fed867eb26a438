#include "vulkan/free_list.hpp"

#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <vector>

namespace vknorm::detail {
namespace {

TEST(FreeList, GivesAlignedRangesAndRefusesWhatDoesNotFit) {
    FreeList list(100);
    EXPECT_EQ(list.allocate(10, 1), 0u);
    EXPECT_EQ(list.allocate(10, 16), 16u);
    EXPECT_EQ(list.allocate(6, 1), 10u);  // the gap that the alignment left
    EXPECT_EQ(list.allocate(75, 1), std::nullopt);
    EXPECT_EQ(list.allocate(74, 1), 26u);
    EXPECT_EQ(list.allocate(1, 1), std::nullopt);
}

TEST(FreeList, JoinsNeighboursInEveryOrderOfRelease) {
    const std::vector<std::vector<uint64_t>> orders = {{0, 10, 20}, {20, 10, 0}, {0, 20, 10}, {10, 0, 20}};
    for (const auto& order : orders) {
        FreeList list(30);
        for (int i = 0; i < 3; ++i) ASSERT_TRUE(list.allocate(10, 1));
        for (const uint64_t offset : order) EXPECT_EQ(list.release(offset), 10u);
        EXPECT_TRUE(list.empty());
        EXPECT_EQ(list.allocate(30, 1), 0u);
    }
}

TEST(FreeList, RefusesToReleaseWhatIsNotAllocated) {
    FreeList list(30);
    ASSERT_EQ(list.allocate(10, 1), 0u);
    EXPECT_THROW(list.release(5), std::logic_error);
    list.release(0);
    EXPECT_THROW(list.release(0), std::logic_error);
}

// One flag per byte: whatever is given must be free, aligned, and found whenever it exists.
TEST(FreeList, AgreesWithABytePerByteModel) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 50; ++round) {
        const uint64_t size = 1 + random() % 400;
        FreeList list(size);
        std::vector<bool> used(size, false);
        std::vector<std::pair<uint64_t, uint64_t>> live;
        const auto is_free = [&](uint64_t offset, uint64_t bytes) {
            for (uint64_t i = offset; i < offset + bytes; ++i)
                if (used[i]) return false;
            return true;
        };
        for (int step = 0; step < 300; ++step) {
            if (random() % 2 == 0 && !live.empty()) {
                const size_t pick = random() % live.size();
                const auto [offset, bytes] = live[pick];
                ASSERT_EQ(list.release(offset), bytes);
                for (uint64_t i = offset; i < offset + bytes; ++i) used[i] = false;
                live.erase(live.begin() + static_cast<std::ptrdiff_t>(pick));
                continue;
            }
            const uint64_t bytes = 1 + random() % 40, alignment = 1 + random() % 20;
            bool fits = false;
            for (uint64_t offset = 0; offset + bytes <= size && !fits; offset += alignment)
                fits = is_free(offset, bytes);
            const auto offset = list.allocate(bytes, alignment);
            ASSERT_EQ(offset.has_value(), fits);
            if (!offset) continue;
            ASSERT_EQ(*offset % alignment, 0u);
            ASSERT_LE(*offset + bytes, size);
            ASSERT_TRUE(is_free(*offset, bytes));
            for (uint64_t i = *offset; i < *offset + bytes; ++i) used[i] = true;
            live.emplace_back(*offset, bytes);
        }
        ASSERT_EQ(list.empty(), live.empty());
    }
}

}  // namespace
}  // namespace vknorm::detail
