#include "ops/batch_norm_plan.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

[[noreturn]] void refuse(const std::string& got, const std::string& needed) {
    throw std::invalid_argument("batch_norm: shape: got " + got + ", needs " + needed);
}

Extent extent_of(std::span<const uint32_t> shape, bool channels_last) {
    if (shape.size() < 2 || shape.size() > 5) {
        refuse(std::to_string(shape.size()) + " dimensions", "2 to 5");
    }
    const size_t channel_axis = channels_last ? shape.size() - 1 : 1;
    Extent extent{.images = shape[0], .channels = shape[channel_axis], .positions = 1};
    if (extent.channels == 0) refuse("0 channels", "at least 1");
    for (size_t axis = 1; axis < shape.size(); ++axis) {
        if (axis == channel_axis) continue;
        extent.positions = checked_product(extent.positions, shape[axis], "batch_norm: shape");
    }
    const uint64_t values = checked_product(extent.images, extent.positions, "batch_norm: shape");
    if (values > std::numeric_limits<uint32_t>::max()) {
        refuse(std::to_string(values) + " values per channel", "at most 4294967295");
    }
    checked_product(checked_product(values, extent.channels, "batch_norm: shape"), 4, "batch_norm: shape");
    if (extent.channels == 1) return {.images = 1, .channels = 1, .positions = values};
    if (channels_last) return {.images = values, .channels = extent.channels, .positions = 1};
    return extent;
}

/// Sides of the largest box that fits `elements`: whole images, else channels of one image, else a piece of a
/// row.
struct BoxSides {
    uint64_t images, channels, positions;
};

BoxSides box_sides(const Extent& extent, uint64_t elements) {
    const uint64_t image = std::max<uint64_t>(extent.channels * extent.positions, 1);
    if (image <= elements)
        return {std::min(elements / image, extent.images), extent.channels, extent.positions};
    if (extent.positions <= elements) return {1, elements / extent.positions, extent.positions};
    return {1, 1, elements};
}

/// Visits the boxes of one channel in the order of its values.
template <class Visit>
void for_each_box(const Extent& extent, const BoxSides& sides, uint32_t length, Visit visit) {
    if (extent.elements() == 0) return;
    for (uint64_t image = 0; image < extent.images; image += sides.images) {
        const uint64_t images = std::min(sides.images, extent.images - image);
        for (uint64_t position = 0; position < extent.positions; position += sides.positions) {
            const uint64_t positions = std::min(sides.positions, extent.positions - position);
            visit(Slice{.image = image,
                        .position = position,
                        .images = static_cast<uint32_t>(images),
                        .positions = static_cast<uint32_t>(positions),
                        .strands = plan_strands(images * positions, length)});
        }
    }
}

uint32_t merge_lanes_for(uint32_t partials) {
    if (partials <= 8) return 1;
    return partials <= 128 ? 16 : merge_workgroup;
}

}  // namespace

uint64_t Slice::first_element(const Extent& extent) const {
    return (image * extent.channels + channel) * extent.positions + position;
}

uint64_t Slice::element_range(const Extent& extent) const {
    return ((images - 1) * extent.channels + channels - 1) * extent.positions + positions;
}

uint32_t BatchNormPlan::groups(uint32_t items) const {
    return std::min(ceil_div(items, limits.workgroup), limits.groups);
}

uint32_t strand_length(const Extent& extent, uint64_t parallel, uint64_t most_partials) {
    // Longer strands cost less scratch traffic, but a float32 sum is only as good as its chain is short.
    const uint64_t balanced = ceil_div<uint64_t>(extent.elements() / block_values, parallel);
    const uint64_t usual = std::clamp<uint64_t>(std::bit_ceil(balanced), 16, 64);
    const uint64_t blocks = ceil_div<uint64_t>(extent.values_per_channel(), block_values);
    return static_cast<uint32_t>(std::max(usual, ceil_div(blocks, most_partials)));
}

Strands plan_strands(uint64_t values, uint32_t length) {
    const uint64_t blocks = ceil_div<uint64_t>(values, block_values);
    if (blocks < 4 * chunk_lanes) return {.lanes = 1, .blocks = static_cast<uint32_t>(blocks), .count = 1};
    const uint64_t chunks = ceil_div<uint64_t>(blocks, chunk_lanes * length);
    return {.lanes = chunk_lanes, .blocks = length, .count = static_cast<uint32_t>(chunks * chunk_lanes)};
}

BatchNormPlan plan_batch_norm(std::span<const uint32_t> shape, bool channels_last, const PlanLimits& limits) {
    BatchNormPlan plan{.extent = extent_of(shape, channels_last), .limits = limits};
    const Extent& extent = plan.extent;
    plan.strategy = extent.positions == 1 && extent.channels > 1 ? Strategy::columns : Strategy::rows;

    // A binding starts up to `alignment` bytes before its first element. The second bound keeps the loops of
    // a striding invocation short on devices with few workgroups.
    const uint64_t binding = round_down<uint64_t>(limits.range - limits.alignment, partial_bytes);
    const uint64_t in_flight = uint64_t{limits.workgroup} * limits.groups;
    const uint64_t slice_bytes =
        std::min(binding, in_flight * (maximum_trips / 2) * block_values * sizeof(float));
    const uint64_t most_channels = slice_bytes / partial_bytes;
    if (extent.channels > most_channels) {
        refuse(std::to_string(extent.channels) + " channels",
               "at most " + std::to_string(most_channels) + " on this device (max_storage_buffer_range " +
                   std::to_string(limits.range) + ")");
    }

    BoxSides sides = box_sides(extent, slice_bytes / sizeof(float));
    const uint32_t length =
        strand_length(extent, limits.parallel, std::min<uint64_t>(most_channels / 2, 1u << 16));
    uint64_t partials = 0;
    for_each_box(extent, sides, length, [&](const Slice& box) { partials += box.strands.count; });
    // The partials of one slice or of one merge must fit a binding as well.
    const uint64_t channels_a_binding = slice_bytes / (std::max<uint64_t>(partials, 1) * partial_bytes);
    if (channels_a_binding == 0) {
        refuse(std::to_string(partials) + " partial sums per channel",
               "at most " + std::to_string(most_channels) + " on this device (max_storage_buffer_range " +
                   std::to_string(limits.range) + ")");
    }
    sides.channels = std::min(sides.channels, channels_a_binding);

    plan.partials = static_cast<uint32_t>(partials);
    plan.merge_lanes = merge_lanes_for(plan.partials);
    const uint64_t merge_capacity = uint64_t{limits.groups} * (merge_workgroup / plan.merge_lanes);
    plan.channels_a_merge =
        static_cast<uint32_t>(std::min({channels_a_binding, merge_capacity, extent.channels}));
    // The partials, two sums per channel for the backward pass, and room to align them to their size.
    plan.scratch_bytes =
        checked_product(extent.channels, partials * partial_bytes + 2 * sizeof(float), "batch_norm: shape") +
        partial_bytes - sizeof(float);

    uint32_t partial = 0;
    for_each_box(extent, sides, length, [&](Slice slice) {
        slice.partial = partial;
        partial += slice.strands.count;
        for (uint64_t channel = 0; channel < extent.channels; channel += sides.channels) {
            slice.channel = channel;
            slice.channels = static_cast<uint32_t>(std::min(sides.channels, extent.channels - channel));
            plan.slices.push_back(slice);
        }
    });
    return plan;
}

std::string explain(const BatchNormPlan& plan) {
    const Extent& extent = plan.extent;
    std::string text = std::string("batch_norm: ") + (plan.strategy == Strategy::rows ? "rows" : "columns") +
                       ", " + std::to_string(extent.images) + " x " + std::to_string(extent.channels) +
                       " channels x " + std::to_string(extent.positions) + ", scratch " +
                       std::to_string(plan.scratch_bytes) + " bytes\n";
    if (plan.slices.empty()) return text + "  empty batch\n";
    const Slice& slice = plan.slices.front();
    text += "  " + std::to_string(plan.slices.size()) + (plan.slices.size() == 1 ? " slice" : " slices") +
            " of " + std::to_string(slice.images) + " x " + std::to_string(slice.channels) + " channels x " +
            std::to_string(slice.positions) + ": " + std::to_string(slice.strands.count) +
            " strands per channel of up to " + std::to_string(slice.strands.blocks * block_values) +
            " values, " + std::to_string(slice.strands.lanes) + " side by side; " +
            std::to_string(plan.groups(slice.strand_count())) + " workgroups of " +
            std::to_string(plan.limits.workgroup) + "\n";
    text += "  merge: " + std::to_string(plan.partials) + " partials per channel, " +
            std::to_string(plan.merge_lanes) + (plan.merge_lanes == 1 ? " invocation" : " invocations") +
            " per channel\n";
    return text;
}

}  // namespace vknorm::detail
