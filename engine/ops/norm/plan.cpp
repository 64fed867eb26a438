#include "ops/norm/plan.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

namespace vknorm::detail {

namespace {

[[noreturn]] void refuse(const std::string& operation, const std::string& got, const std::string& needed) {
    throw std::invalid_argument(operation + ": shape: got " + got + ", needs " + needed);
}

/// A channel of fewer blocks is a single strand.
constexpr uint64_t fewest_shared_blocks = 4 * chunk_lanes;
/// Blocks of a strand: longer strands cost less scratch traffic, but a float32 sum is only as good as its
/// chain is short.
constexpr uint64_t shortest_strand = 16, longest_usual_strand = 64;
constexpr uint64_t most_usual_partials = 1u << 16;  ///< of a channel
constexpr uint32_t most_sweep_images = 32;

struct Lengths {
    uint64_t images, channels, positions;
};

Lengths lengths_of(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout) {
    if (shape.size() < 2 || shape.size() > 5)
        refuse(operation, std::to_string(shape.size()) + " dimensions", "2 to 5");
    if (layout != Layout::channels_first && layout != Layout::channels_last)
        throw std::invalid_argument(operation + ": layout: got value " +
                                    std::to_string(static_cast<int>(layout)) +
                                    ", needs one of the enumeration's, 0 to 1");
    const size_t channel_axis = layout == Layout::channels_last ? shape.size() - 1 : 1;
    Lengths lengths{.images = shape[0], .channels = shape[channel_axis], .positions = 1};
    if (lengths.channels == 0) refuse(operation, "0 channels", "at least 1");
    for (size_t axis = 1; axis < shape.size(); ++axis) {
        if (axis == channel_axis) continue;
        lengths.positions = checked_product(lengths.positions, shape[axis], operation + ": shape");
    }
    const uint64_t values = checked_product(lengths.images, lengths.positions, operation + ": shape");
    if (values > std::numeric_limits<uint32_t>::max())
        refuse(operation, std::to_string(values) + " values per channel", "at most 4294967295");
    checked_product(checked_product(values, lengths.channels, operation + ": shape"), sizeof(float),
                    operation + ": shape");
    return lengths;
}

/// Sides of the largest box that fits `elements`: whole samples, else whole images of one sample, else
/// channels of one image, else a piece of a row.
struct BoxSides {
    uint64_t samples, images, channels, positions;
};

BoxSides box_sides(const Extent& extent, uint64_t elements) {
    const uint64_t sample = std::max<uint64_t>(extent.sample_elements(), 1);
    if (sample <= elements)
        return {std::min(elements / sample, extent.samples), extent.images, extent.channels,
                extent.positions};
    const uint64_t image = extent.channels * extent.positions;
    if (image <= elements) return {1, elements / image, extent.channels, extent.positions};
    if (extent.positions <= elements) return {1, 1, elements / extent.positions, extent.positions};
    return {1, 1, 1, elements};
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

}  // namespace

uint64_t samples_of_a_merge(const NormPlan& plan) {
    const uint64_t sample_bytes = plan.extent.channels * plan.partials * detail::partial_bytes;
    return std::max<uint64_t>(plan.limits.partials_binding_bytes() / std::max<uint64_t>(sample_bytes, 1), 1);
}

Extent batch_extent(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout) {
    const auto [images, channels, positions] = lengths_of(operation, shape, layout);
    if (channels == 1) return {.images = 1, .channels = 1, .positions = images * positions};
    if (layout == Layout::channels_last)
        return {.images = images * positions, .channels = channels, .positions = 1};
    return {.images = images, .channels = channels, .positions = positions};
}

Extent image_extent(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout) {
    const auto [images, channels, positions] = lengths_of(operation, shape, layout);
    if (positions == 0) refuse(operation, "no spatial position", "at least 1");
    if (layout == Layout::channels_last)
        return {.samples = images, .images = positions, .channels = channels, .positions = 1};
    return {.samples = images, .images = 1, .channels = channels, .positions = positions};
}

uint32_t strand_length(const Extent& extent, uint64_t parallel, uint64_t most_partials) {
    const uint64_t balanced = ceil_div<uint64_t>(extent.elements() / block_values, parallel);
    const uint64_t usual = std::clamp(std::bit_ceil(balanced), shortest_strand, longest_usual_strand);
    const uint64_t blocks = ceil_div<uint64_t>(extent.values_per_channel(), block_values);
    return static_cast<uint32_t>(std::max(usual, ceil_div(blocks, most_partials)));
}

uint32_t sweep_length(const Extent& extent, uint64_t parallel) {
    const uint64_t balanced = ceil_div<uint64_t>(extent.elements() / block_values, parallel);
    return static_cast<uint32_t>(
        std::clamp<uint64_t>(std::bit_ceil(balanced), Tuning::least_sweep, Tuning::most_sweep));
}

Strands plan_strands(uint64_t values, uint32_t length) {
    const uint64_t blocks = ceil_div<uint64_t>(values, block_values);
    if (blocks < fewest_shared_blocks)
        return {.lanes = 1, .blocks = static_cast<uint32_t>(blocks), .count = 1};
    const uint64_t chunks = ceil_div<uint64_t>(blocks, chunk_lanes * length);
    return {.lanes = chunk_lanes, .blocks = length, .count = static_cast<uint32_t>(chunks * chunk_lanes)};
}

NormPlan plan_norm(const std::string& operation, const Extent& extent, Storage storage,
                   const PlanLimits& limits, uint32_t group) {
    NormPlan plan{
        .operation = operation, .extent = extent, .storage = storage, .group = group, .limits = limits};

    // The second bound keeps the loops of a striding invocation short on devices with few workgroups, however
    // small these are.
    const uint64_t in_flight = uint64_t{Tuning::least_workgroup} * limits.groups;
    const uint64_t slice_bytes = std::min(limits.partials_binding_bytes(),
                                          in_flight * (maximum_trips / 2) * block_values * sizeof(float));
    const uint64_t most_channels = slice_bytes / detail::partial_bytes;
    const std::string on_this_device =
        " on this device (max_storage_buffer_range " + std::to_string(limits.range) + ")";
    if (extent.channels > most_channels) {
        refuse(operation, std::to_string(extent.channels) + " channels",
               "at most " + std::to_string(most_channels) + on_this_device);
    }

    BoxSides sides = box_sides(extent, slice_bytes / plan.element_bytes());
    const uint32_t length =
        strand_length(extent, limits.parallel, std::min(most_channels / 2, most_usual_partials));
    uint64_t partials = 0;
    for_each_box(extent, sides, length, [&](const Slice& box) { partials += box.strands.count; });
    // The partials of one slice must fit a binding as well.
    const uint64_t most_bound_channels =
        slice_bytes / (std::max<uint64_t>(partials, 1) * detail::partial_bytes);
    if (most_bound_channels == 0) {
        refuse(operation, std::to_string(partials) + " partial sums per channel",
               "at most " + std::to_string(most_channels) + on_this_device);
    }
    sides.samples = std::clamp<uint64_t>(most_bound_channels / std::max<uint64_t>(extent.channels, 1), 1,
                                         std::max<uint64_t>(sides.samples, 1));
    sides.channels = std::min(sides.channels, most_bound_channels);

    plan.partials = static_cast<uint32_t>(partials);
    const uint32_t sweep = sweep_length(extent, limits.parallel);
    plan.sweep_images = std::min(sweep, most_sweep_images);
    checked_product(extent.all_channels(), partials * detail::partial_bytes, operation + ": shape");

    for (uint64_t sample = 0; sample < extent.samples; sample += sides.samples) {
        uint32_t partial = 0;
        for_each_box(extent, sides, length, [&](Slice slice) {
            slice.sample = sample;
            slice.samples = static_cast<uint32_t>(std::min(sides.samples, extent.samples - sample));
            slice.partial = partial;
            slice.sweep = plan_strands(slice.values_per_channel(), std::min(sweep, limits.tuning.sweep));
            partial += slice.strands.count;
            for (uint64_t channel = 0; channel < extent.channels; channel += sides.channels) {
                slice.channel = channel;
                slice.channels = static_cast<uint32_t>(std::min(sides.channels, extent.channels - channel));
                plan.slices.push_back(slice);
            }
        });
    }
    return plan;
}

std::string explain(const NormPlan& plan) {
    const Extent& extent = plan.extent;
    const auto box = [](uint64_t samples, uint64_t images, uint64_t channels, uint64_t positions) {
        return (samples == 1 ? "" : std::to_string(samples) + " samples x ") + std::to_string(images) +
               " x " + std::to_string(channels) + " channels x " + std::to_string(positions);
    };
    std::string text = plan.operation + ": " + (extent.adjacent_channels() ? "columns" : "rows") + ", " +
                       box(extent.samples, extent.images, extent.channels, extent.positions) + "\n";
    if (plan.slices.empty()) return text + "  empty\n";
    const Slice& slice = plan.slices.front();
    text += "  " + std::to_string(plan.slices.size()) + (plan.slices.size() == 1 ? " slice" : " slices") +
            " of " + box(slice.samples, slice.images, slice.channels, slice.positions) + ": " +
            std::to_string(slice.strands.count) + " strands per channel of up to " +
            std::to_string(slice.strands.blocks * block_values) + " values, " +
            std::to_string(slice.strands.lanes) + " side by side; " +
            std::to_string(plan.groups(slice.strands_of_a_sample())) + " x " + std::to_string(slice.samples) +
            " workgroups of " + std::to_string(plan.limits.tuning.workgroup) + "; " +
            std::to_string(plan.partials) + " partials per channel\n";
    return text;
}

}  // namespace vknorm::detail
