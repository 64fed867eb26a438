// How a normalization is cut into slices and strands: every value once, nothing beyond a limit.
#include <algorithm>
#include <gtest/gtest.h>
#include <stdexcept>

#include "ops/norm/plan.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {
namespace {

constexpr PlanLimits usual{};
constexpr PlanLimits small{.groups = 7, .range = 1u << 16, .alignment = 256};

Layout layout(bool channels_last) {
    return channels_last ? Layout::channels_last : Layout::channels_first;
}

NormPlan plan_batch(const std::vector<uint32_t>& shape, bool channels_last, const PlanLimits& limits) {
    return plan_norm("batch_norm", batch_extent("batch_norm", shape, layout(channels_last)), Storage::float32,
                     limits);
}

NormPlan plan_images(const std::vector<uint32_t>& shape, bool channels_last, const PlanLimits& limits) {
    return plan_norm("group_norm", image_extent("group_norm", shape, layout(channels_last)), Storage::float32,
                     limits);
}

std::string message_of(const std::vector<uint32_t>& shape, const PlanLimits& limits = usual) {
    try {
        plan_batch(shape, false, limits);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no error";
}

/// Visits every element that the slices' strands read, in the terms of norm/walk.glsl.
template <class Visit>
void for_each_value(const NormPlan& plan, Visit visit) {
    for (const Slice& slice : plan.slices) {
        for (uint64_t line = 0; line < uint64_t{slice.samples} * slice.channels; ++line) {
            const uint64_t sample = slice.sample + line / slice.channels;
            const uint64_t channel = slice.channel + line % slice.channels;
            for (uint64_t value = 0; value < slice.values_per_channel(); ++value) {
                const uint64_t image = sample * plan.extent.images + slice.image + value / slice.positions;
                const uint64_t position = slice.position + value % slice.positions;
                visit(slice, image * plan.extent.image_elements() + plan.extent.element(channel, position));
            }
        }
    }
}

TEST(NormPlanTest, SlicesCoverEveryElementOnceWithinTheirBinding) {
    const std::vector<std::vector<uint32_t>> shapes{
        {2, 3},       {1, 1, 1},     {5000, 7},       {3, 1000},  {7, 64, 9, 9},     {3, 5, 2000},
        {3, 2000, 5}, {1, 3, 50000}, {2, 40, 33, 35}, {70000, 1}, {2, 2, 3, 70, 90}, {70000, 3}};
    for (const std::vector<uint32_t>& shape : shapes) {
        for (const bool channels_last : {false, true}) {
            if (channels_last && shape.back() > 4000) continue;  // more channels than a binding takes
            for (const auto make : {plan_batch, plan_images}) {
                const NormPlan plan = make(shape, channels_last, small);
                SCOPED_TRACE(explain(plan));
                std::vector<uint8_t> visits(plan.extent.elements());
                for_each_value(plan, [&](const Slice& slice, uint64_t element) {
                    ASSERT_LT(element, visits.size());
                    ++visits[element];
                    ASSERT_GE(element, slice.first_element(plan.extent));
                    ASSERT_LT(element - slice.first_element(plan.extent), slice.element_range(plan.extent));
                });
                EXPECT_EQ(std::ranges::count(visits, 1), std::ssize(visits));
                for (const Slice& slice : plan.slices) {
                    EXPECT_LE(slice.element_range(plan.extent) * 4 + small.alignment, small.range);
                    EXPECT_LE(
                        slice.channel_range(plan.extent) * plan.partials * partial_bytes + small.alignment,
                        small.range);
                    EXPECT_TRUE(slice.images == plan.extent.images || slice.samples == 1);
                    EXPECT_TRUE(slice.positions == plan.extent.positions || slice.images == 1);
                }
                const MergePlan merge = plan_merge(small, plan.extent.all_channels(), plan.partials,
                                                   plan.partials * partial_bytes);
                EXPECT_GE(merge.sets, 1u);
                EXPECT_LE(merge.sets * plan.partials * partial_bytes + small.alignment, small.range);
            }
        }
    }
}

TEST(NormPlanTest, PartialsOfAChannelAreNumberedWithoutGaps) {
    const NormPlan plan = plan_batch({9, 6, 100, 100}, false, small);
    std::vector<std::vector<int>> written(6, std::vector<int>(plan.partials));
    for (const Slice& slice : plan.slices) {
        for (uint64_t c = 0; c < slice.channels; ++c) {
            for (uint32_t i = 0; i < slice.strands.count; ++i)
                ++written[slice.channel + c].at(slice.partial + i);
        }
    }
    for (const std::vector<int>& channel : written)
        EXPECT_EQ(std::ranges::count(channel, 1), std::ssize(channel));
}

TEST(NormPlanTest, StrandsHoldEveryBlockOnce) {
    for (const uint64_t values : {1u, 3u, 4u, 127u, 128u, 129u, 4095u, 200704u, 1u << 31}) {
        for (const uint32_t lanes : {1u, 8u, 32u}) {
            const Strands strands = plan_strands(values, lanes, 1u << 14);
            const uint64_t blocks = (values + 3) / 4;
            EXPECT_GE(uint64_t{strands.of_a_row} * strands.blocks, blocks) << values;
            EXPECT_LT((uint64_t{strands.of_a_row} - strands.lanes) * strands.blocks, blocks) << values;
            EXPECT_EQ(strands.of_a_row % strands.lanes, 0u);
            EXPECT_LE(strands.blocks, maximum_trips);
        }
    }
}

TEST(NormPlanTest, SlicesFitAGrid) {
    // More channels, images, rows and positions than y and z count.
    for (const std::vector<uint32_t>& shape : std::vector<std::vector<uint32_t>>{{1, 70000, 256},
                                                                                 {70000, 2, 256},
                                                                                 {70000, 2, 3},
                                                                                 {2, 2, 3000000},
                                                                                 {5000000, 2},
                                                                                 {2, 4, 1u << 24}}) {
        for (const bool channels_last : {false, true}) {
            if (channels_last && shape.back() > 4000000) continue;
            const NormPlan plan = plan_batch(shape, channels_last, usual);
            SCOPED_TRACE(explain(plan));
            for (const Slice& slice : plan.slices) {
                const uint64_t of_a_row = slice.strands.of_a_row;
                const bool adjacent = plan.across || plan.extent.channels_last;
                EXPECT_LE(adjacent ? of_a_row : slice.channels, PlanLimits::groups_in_y);
                EXPECT_LE(plan.across ? slice.positions : slice.images, PlanLimits::groups_in_y);
            }
        }
    }
}

TEST(NormPlanTest, SlicesHaveNoMoreChannelsThanKernelsDivideInto) {
    const NormPlan plan = plan_batch({2, 5000000, 3}, false, usual);
    ASSERT_TRUE(plan.across);
    for (const Slice& slice : plan.slices) EXPECT_LE(slice.channels, 1u << 22);
}

TEST(NormPlanTest, StrandsDependOnTheShapeAlone) {
    const std::vector<uint32_t> first{8, 16, 30, 30};
    const std::vector<uint32_t> last{8, 30, 30, 16};
    PlanLimits other = usual;
    other.tuning.workgroup = 64;
    other.groups = 3;
    const NormPlan plan = plan_batch(first, false, usual);
    EXPECT_EQ(plan.slices.front().strands, plan_batch(first, false, other).slices.front().strands);
    EXPECT_EQ(plan.slices.front().strands, plan_batch(last, true, usual).slices.front().strands);
    EXPECT_FALSE(plan.extent.adjacent_channels());
    EXPECT_TRUE(plan_batch(last, true, usual).extent.adjacent_channels());
}

TEST(NormPlanTest, ChecksWithoutOverflow) {
    EXPECT_EQ(plan_batch({65536, 2, 256, 255}, false, usual).extent.elements(), 8556380160u);
    EXPECT_EQ(message_of({4}), "batch_norm: shape: got 1 dimensions, needs 2 to 5");
    EXPECT_EQ(message_of({4, 4, 4, 4, 4, 4}), "batch_norm: shape: got 6 dimensions, needs 2 to 5");
    EXPECT_EQ(message_of({4, 0, 3}), "batch_norm: shape: got 0 channels, needs at least 1");
    EXPECT_EQ(message_of({65536, 1, 65536}),
              "batch_norm: shape: got 4294967296 values per channel, needs at most 4294967295");
    EXPECT_EQ(message_of({2, 4294967295, 2, 4294967295}),
              "batch_norm: shape: got 17179869180 values per channel, needs at most 4294967295");
    EXPECT_EQ(message_of({4294967295, 4294967295, 4294967295, 4294967295, 2}),
              "batch_norm: shape: got 18446744065119617025 times 2, needs at most 18446744073709551615");
}

TEST(NormPlanTest, NamesTheLimitThatCannotBeMet) {
    EXPECT_EQ(message_of({2, 5000}, small),
              "batch_norm: shape: got 5000 channels, needs at most 4080 on this device "
              "(max_storage_buffer_range 65536)");
    EXPECT_EQ(message_of({70000, 2, 4000}, small),
              "batch_norm: shape: got 2240000 partial sums per channel, needs at most 4080 on this device "
              "(max_storage_buffer_range 65536)");
}

TEST(NormPlanTest, AnEmptyBatchHasNoSlices) {
    for (const std::vector<uint32_t>& shape : {std::vector<uint32_t>{0, 3}, {2, 3, 0}, {2, 3, 4, 0}}) {
        const NormPlan plan = plan_batch(shape, false, usual);
        EXPECT_TRUE(plan.slices.empty());
        EXPECT_EQ(plan.partials, 0u);
        EXPECT_EQ(plan.partial_bytes(), 0u);
    }
}

}  // namespace
}  // namespace vknorm::detail
