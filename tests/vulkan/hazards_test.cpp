#include "vulkan/hazards.hpp"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace vknorm::detail {
namespace {

Use reads(uint64_t buffer, uint64_t begin, uint64_t end) {
    return {buffer, begin, end, true, false};
}
Use writes(uint64_t buffer, uint64_t begin, uint64_t end) {
    return {buffer, begin, end, false, true};
}

bool add(HazardTracker& tracker, std::vector<Use> uses) {
    return tracker.add(uses);
}

TEST(Hazards, ReadAfterWriteNeedsABarrier) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {writes(1, 0, 16)}));
    EXPECT_TRUE(add(tracker, {reads(1, 8, 12)}));
    EXPECT_FALSE(add(tracker, {reads(1, 8, 12)})) << "the barrier is still in force";
}

TEST(Hazards, WriteAfterReadNeedsABarrier) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {reads(1, 0, 16)}));
    EXPECT_TRUE(add(tracker, {writes(1, 15, 16)}));
}

TEST(Hazards, WriteAfterWriteNeedsABarrier) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {writes(1, 0, 16)}));
    EXPECT_TRUE(add(tracker, {writes(1, 0, 16)}));
}

TEST(Hazards, ReadAfterReadNeedsNone) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {reads(1, 0, 16)}));
    EXPECT_FALSE(add(tracker, {reads(1, 0, 16)}));
}

TEST(Hazards, DisjointRangesAndOtherBuffersNeedNone) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {writes(1, 0, 16)}));
    EXPECT_FALSE(add(tracker, {reads(1, 16, 32)}));
    EXPECT_FALSE(add(tracker, {writes(2, 0, 16)}));
    EXPECT_FALSE(add(tracker, {reads(1, 4, 4)})) << "an empty range";
}

TEST(Hazards, UsesOfOneCommandDoNotConflict) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {reads(1, 0, 16), writes(1, 0, 16)}));
    EXPECT_TRUE(add(tracker, {reads(1, 0, 16)}));
}

TEST(Hazards, ABarrierForOneBufferOrdersAll) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {writes(1, 0, 16)}));
    EXPECT_FALSE(add(tracker, {writes(2, 0, 16)}));
    EXPECT_TRUE(add(tracker, {reads(1, 0, 16)}));
    EXPECT_FALSE(add(tracker, {reads(2, 0, 16)}));
    EXPECT_TRUE(add(tracker, {writes(1, 0, 16)})) << "the read after the barrier is remembered";
}

TEST(Hazards, ClearForgets) {
    HazardTracker tracker;
    EXPECT_FALSE(add(tracker, {writes(1, 0, 16)}));
    tracker.clear();
    EXPECT_FALSE(add(tracker, {reads(1, 0, 16)}));
}

// Against a list of every use since the last barrier.
TEST(Hazards, AgreesWithABruteForceModel) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 200; ++round) {
        HazardTracker tracker;
        std::vector<Use> since_barrier;
        for (int command = 0; command < 60; ++command) {
            std::vector<Use> uses;
            for (uint64_t i = 0; i < 1 + random() % 3; ++i) {
                const uint64_t begin = random() % 60;
                const bool read = random() % 4 != 0;
                uses.push_back({random() % 3, begin, begin + random() % 6, read, !read || random() % 8 == 0});
            }
            bool expected = false;
            for (const Use& use : uses)
                for (const Use& earlier : since_barrier)
                    expected |= use.buffer == earlier.buffer && use.begin < use.end &&
                                earlier.begin < earlier.end && use.begin < earlier.end &&
                                earlier.begin < use.end && (use.write || earlier.write);
            ASSERT_EQ(tracker.add(uses), expected) << "round " << round << ", command " << command;
            if (expected) since_barrier.clear();
            since_barrier.insert(since_barrier.end(), uses.begin(), uses.end());
        }
    }
}

}  // namespace
}  // namespace vknorm::detail
