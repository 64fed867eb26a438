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

constexpr uint64_t most_usual_partials = 1u << 16;  ///< of a channel
/// Images that an invocation of a sweep visits at most, so that a word of a mask takes them.
constexpr uint64_t most_sweep_images = 32;
/// Channels that an element's number is divided into without an error: see divided() in norm/walk.glsl.
constexpr uint64_t exact_quotients = 1u << 22;

/// Blocks of a strand: longer strands cost less scratch traffic, but a device wants many; and of those that
/// run across images, because each image is another page of memory.
struct StrandLengths {
    uint64_t shortest, longest, longest_across;
};
constexpr StrandLengths cpu_lengths{.shortest = 16, .longest = 128, .longest_across = 64};
constexpr StrandLengths gpu_lengths{.shortest = 4, .longest = 64, .longest_across = 16};

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
/// channels of one image, or with channels last positions, else a piece of a row.
struct BoxSides {
    uint64_t samples, images, channels, positions;
};

BoxSides box_sides(const Extent& extent, uint64_t elements) {
    const uint64_t sample = std::max<uint64_t>(extent.sample_elements(), 1);
    if (sample <= elements)
        return {std::min(elements / sample, extent.samples), extent.images, extent.channels,
                extent.positions};
    const uint64_t image = extent.image_elements();
    if (image <= elements) return {1, elements / image, extent.channels, extent.positions};
    if (extent.channels_last) return {1, 1, extent.channels, elements / extent.channels};
    if (extent.positions <= elements) return {1, 1, elements / extent.positions, extent.positions};
    return {1, 1, 1, elements};
}

/// No larger than a grid of workgroups: see walk_of.
BoxSides within_grid(const NormPlan& plan, BoxSides sides) {
    const Extent& extent = plan.extent;
    const uint64_t items_in_x = uint64_t{plan.limits.groups} * plan.limits.tuning.workgroup;
    const uint64_t in_y = PlanLimits::groups_in_y;
    const auto bound = [](uint64_t& side, uint64_t most) { side = std::clamp<uint64_t>(side, 1, most); };
    if (extent.adjacent_channels()) {
        bound(sides.channels, items_in_x * block_values);
        bound(sides.positions, in_y * most_sweep_images);
        bound(sides.images, in_y * most_sweep_images / sides.positions);
    } else if (plan.across) {
        bound(sides.channels, std::min(items_in_x * block_values / extent.positions, exact_quotients));
        bound(sides.images, in_y * most_sweep_images);
    } else {
        bound(sides.channels, plan.whole_rows() ? std::min(items_in_x, in_y) : in_y);
    }
    // A slice suits strands and sweeps, one of which may run across the images and the other along rows.
    const bool along_rows = !plan.across || plan.sweeps_rows();
    if (plan.sweeps_rows()) bound(sides.channels, in_y);
    if (along_rows) bound(sides.images, in_y);
    // A slice has whole samples, or a part of one.
    if (sides.positions < extent.positions) sides.images = 1;
    if (sides.images < extent.images || sides.channels < extent.channels) sides.samples = 1;
    // z counts the positions, or the images, of all samples.
    bound(sides.samples, in_y / std::max(plan.across ? sides.positions : 0, along_rows ? sides.images : 0));
    return sides;
}

Strands strands_of_box(const NormPlan& plan, uint64_t images, uint64_t positions) {
    const Extent& extent = plan.extent;
    const StrandLengths& lengths = plan.limits.cpu ? cpu_lengths : gpu_lengths;
    const uint64_t rows = plan.across ? positions : images;
    const uint64_t blocks = ceil_div<uint64_t>(extent.values_per_channel(), block_values);
    const uint64_t balanced = ceil_div<uint64_t>(extent.elements() / block_values, plan.limits.parallel());
    const uint64_t usual = std::clamp(std::bit_ceil(balanced), lengths.shortest,
                                      plan.across ? lengths.longest_across : lengths.longest);
    const uint64_t most_bound = plan.limits.partials_binding_bytes() / detail::partial_bytes;
    const uint64_t longest = std::max(usual, ceil_div(blocks, std::min(most_bound / 2, most_usual_partials)));
    Strands strands;
    if (plan.across)
        strands = plan_strands(images, 1, longest);
    else if (plan.whole_rows())
        strands = plan_strands(positions, 1, ceil_div<uint64_t>(positions, block_values));
    else
        strands = plan_strands(positions, plan.limits.chunk_lanes(), longest);
    strands.count = static_cast<uint32_t>(strands.of_a_row * rows);
    return strands;
}

/// Visits the boxes of one channel in the order of its values.
template <class Visit>
void for_each_box(const NormPlan& plan, const BoxSides& sides, Visit visit) {
    const Extent& extent = plan.extent;
    for (uint64_t image = 0; image < extent.images; image += sides.images) {
        const uint64_t images = std::min(sides.images, extent.images - image);
        for (uint64_t position = 0; position < extent.positions; position += sides.positions) {
            const uint64_t positions = std::min(sides.positions, extent.positions - position);
            visit(Slice{.image = image,
                        .position = position,
                        .images = static_cast<uint32_t>(images),
                        .positions = static_cast<uint32_t>(positions),
                        .strands = strands_of_box(plan, images, positions)});
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
    return {.images = images,
            .channels = channels,
            .positions = positions,
            .channels_last = layout == Layout::channels_last && positions > 1};
}

Extent image_extent(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout) {
    const auto [images, channels, positions] = lengths_of(operation, shape, layout);
    if (positions == 0) refuse(operation, "no spatial position", "at least 1");
    return {.samples = images,
            .images = 1,
            .channels = channels,
            .positions = positions,
            .channels_last = layout == Layout::channels_last && positions > 1};
}

Strands plan_strands(uint64_t values, uint32_t lanes, uint64_t longest) {
    const uint64_t blocks = std::max<uint64_t>(ceil_div<uint64_t>(values, block_values), 1);
    const uint64_t chunks = ceil_div<uint64_t>(blocks, lanes * longest);
    const uint64_t each = ceil_div<uint64_t>(blocks, lanes * chunks);
    return {.lanes = lanes,
            .blocks = static_cast<uint32_t>(each),
            .of_a_row = static_cast<uint32_t>(chunks * lanes)};
}

NormPlan plan_norm(const std::string& operation, const Extent& extent, Storage storage,
                   const PlanLimits& limits, uint32_t group) {
    NormPlan plan{
        .operation = operation, .extent = extent, .storage = storage, .group = group, .limits = limits};
    plan.across = extent.images > 1 && extent.positions < NormPlan::least_long_row;

    const uint64_t slice_bytes = limits.partials_binding_bytes();
    const uint64_t most_channels = slice_bytes / detail::partial_bytes;
    const std::string on_this_device =
        " on this device (max_storage_buffer_range " + std::to_string(limits.range) + ")";
    if (extent.channels > most_channels) {
        refuse(operation, std::to_string(extent.channels) + " channels",
               "at most " + std::to_string(most_channels) + on_this_device);
    }

    if (extent.elements() == 0) return plan;

    BoxSides sides = within_grid(plan, box_sides(extent, slice_bytes / plan.element_bytes()));
    uint64_t partials = 0;
    for_each_box(plan, sides, [&](const Slice& box) { partials += box.strands.count; });
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
    checked_product(extent.all_channels(), partials * detail::partial_bytes, operation + ": shape");

    for (uint64_t sample = 0; sample < extent.samples; sample += sides.samples) {
        uint32_t partial = 0;
        for_each_box(plan, sides, [&](Slice slice) {
            slice.sample = sample;
            slice.samples = static_cast<uint32_t>(std::min(sides.samples, extent.samples - sample));
            slice.partial = partial;
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
    std::string text = plan.operation + ": channels " + (extent.adjacent_channels() ? "adjacent" : "apart") +
                       ", " + box(extent.samples, extent.images, extent.channels, extent.positions) + "\n";
    if (plan.slices.empty()) return text + "  empty\n";
    const Slice& slice = plan.slices.front();
    text += "  " + std::to_string(plan.slices.size()) + (plan.slices.size() == 1 ? " slice" : " slices") +
            " of " + box(slice.samples, slice.images, slice.channels, slice.positions) + ": " +
            std::to_string(slice.strands.count) + " strands per channel of up to " +
            std::to_string(slice.strands.blocks * block_values) + " values " +
            (plan.across ? "across the images" : "along a row") + ", " + std::to_string(slice.strands.lanes) +
            " side by side; " + std::to_string(plan.partials) + " partials per channel\n";
    return text;
}

}  // namespace vknorm::detail
