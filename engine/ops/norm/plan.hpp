// How a normalization is cut into work for a device: pure arithmetic on sizes, no Vulkan.
//
// The words of plans and kernels. Every normalization is one of the same tensor, [samples][images][channels]
// [positions] in this order in memory, or with channels last [samples][images][positions][channels]. Here are
// 2 x 2 x 3 x 16 values of the first order:
//
//                        sample 0                      |         sample 1
//              image 0              image 1            |   image 0     image 1
//   channel 0  ++++ ++++ ++++ ++++  ++++ ++++ ++++ ++++|
//   channel 1  ---- ---- ---- ----  ---- ---- ---- ----|     ...         ...       ---- is a block: four
//   values channel 2  ---- ---- ---- ----  ---- ---- ---- ----|                           four of them are a
//   row: the
//                                                                                  positions of a channel in
//                                                                                  an image
//
//   channel  Always one channel of one sample (++++).
//   set      The values that share a mean: a channel, or `group` neighbouring channels of a sample.
//   strand   The blocks that one invocation reads of one row: `blocks` of them, `lanes` apart, so that
//   `lanes`
//            neighbouring strands together read one contiguous chunk:
//
//            a row, cut into blocks                     0 1 2 3 4 5 6 7 8 9 ...
//            strands, with 2 lanes and 3 blocks         A B A B A B C D C D ...
//                                                       `-- chunk --'
//
//            Where rows are short, a strand runs across the images: its blocks are four values each of one
//            position of a channel, in image after image.
//   partial  What a strand yields: moments or sums. A fixed tree merges the partials of a set.
//   slice    A part of the tensor small enough for one binding and one grid of workgroups: a box of samples,
//            images, channels and positions. A channel has strands of its own in every slice.
//
// Strands depend on the shape (for tensors larger than a binding on the slices, and on whether the device is
// a CPU), never on the tuning: results have the same bits for every tuning, and in both layouts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <vknorm/normalization.hpp>
#include <vknorm/tuning.hpp>

#include "ops/sizes.hpp"
#include "shaders/norm.h"

namespace vknorm::detail {

constexpr uint32_t block_values = shaders::norm_block_values;
constexpr uint32_t partial_bytes = 16;
constexpr uint32_t word_bits = 32;
constexpr uint32_t merge_workgroup = shaders::norm_merge_workgroup;

/// The numbers of a device that a plan depends on; at first the least that Vulkan allows, and a GPU's.
struct PlanLimits {
    static constexpr uint32_t groups_in_y = 65535;  ///< of every device, and in z

    uint32_t groups = 65535;    ///< workgroups of a dispatch, in x
    uint64_t range = 1u << 27;  ///< bytes of a binding
    uint64_t alignment = 256;   ///< of a binding's offset
    bool cpu = false;           ///< few invocations, with a long way each, keep the device busy
    Tuning tuning{};

    uint64_t parallel() const { return cpu ? 1u << 9 : 1u << 18; }  ///< invocations that keep the device busy
    uint32_t chunk_lanes() const { return cpu ? 8 : 32; }           ///< strands that share a chunk
    /// Partials that one invocation merges by itself: a CPU pays much for a barrier.
    uint32_t partials_alone() const {
        constexpr uint32_t alone_on_cpu = 512;
        return cpu ? alone_on_cpu : shaders::norm_partials_alone;
    }
    /// The most bytes of which every one can be bound, wherever they begin: a binding starts up to
    /// `alignment` bytes before its first element.
    uint64_t binding_bytes() const { return range - alignment; }
    /// Of whole partials.
    uint64_t partials_binding_bytes() const { return round_down<uint64_t>(binding_bytes(), partial_bytes); }
};

/// The lengths of a tensor.
struct Extent {
    uint64_t samples = 1, images = 0, channels = 0, positions = 0;
    bool channels_last = false;  ///< channels are adjacent; with one position they always are

    uint64_t values_per_channel() const { return images * positions; }
    uint64_t all_channels() const { return samples * channels; }  ///< of all samples
    uint64_t image_elements() const { return channels * positions; }
    uint64_t sample_elements() const { return images * image_elements(); }
    uint64_t elements() const { return samples * sample_elements(); }
    bool adjacent_channels() const { return channels_last || positions == 1; }
    /// Which element of an image.
    uint64_t element(uint64_t channel, uint64_t position) const {
        return channels_last ? position * channels + channel : channel * positions + position;
    }
};

/// Strands of one channel within one slice.
struct Strands {
    uint32_t lanes = 1;     ///< strands that share a chunk
    uint32_t blocks = 1;    ///< of a strand, at most
    uint32_t of_a_row = 0;  ///< or of a position, across the images
    uint32_t count = 0;     ///< of all rows or positions

    bool operator==(const Strands&) const = default;
};

struct Slice {
    uint64_t sample = 0, image = 0, channel = 0, position = 0;  ///< the first of each
    uint32_t samples = 0, images = 0, channels = 0, positions = 0;
    Strands strands{};
    uint32_t partial = 0;  ///< of its first strand, among the partials of a channel

    uint32_t values_per_channel() const { return images * positions; }
    /// The place of its first value among those of its channel.
    uint64_t first_value(const Extent& extent) const { return image * extent.positions + position; }
    /// The range of channels of all samples from the first to one past the last of the box.
    uint64_t first_channel(const Extent& extent) const { return sample * extent.channels + channel; }
    uint64_t channel_range(const Extent& extent) const { return (samples - 1) * extent.channels + channels; }
    /// The same range of elements of x.
    uint64_t first_element(const Extent& extent) const {
        return (sample * extent.images + image) * extent.image_elements() + extent.element(channel, position);
    }
    uint64_t element_range(const Extent& extent) const {
        const uint64_t last_image = (samples - 1) * extent.images + images - 1;
        return last_image * extent.image_elements() + extent.element(channels - 1, positions - 1) + 1;
    }
};

struct NormPlan {
    std::string operation{};
    Extent extent{};
    Storage storage = Storage::float32;
    uint32_t group = 1;  ///< channels of a set
    PlanLimits limits{};
    std::vector<Slice> slices{};
    bool across = false;    ///< strands run across the images
    uint32_t partials = 0;  ///< of one channel

    /// A strand is a whole row.
    bool whole_rows() const { return !across && extent.positions < least_long_row; }
    static constexpr uint64_t least_long_row = 256;  ///< values of a row that several strands share
    /// A sweep runs along rows, whatever strands do.
    bool sweeps_rows() const {
        return !extent.adjacent_channels() && extent.positions >= limits.tuning.swept_row;
    }
    uint32_t element_bytes() const { return storage_bytes(storage); }
    uint64_t tensor_bytes() const { return extent.elements() * element_bytes(); }
    /// Bytes of a float32 for each channel of a sample, and for each set of all samples.
    uint64_t channel_bytes() const { return extent.channels * sizeof(float); }
    uint64_t set_bytes() const { return sets() * sizeof(float); }
    uint64_t sets_of_a_sample() const { return extent.channels / group; }
    uint64_t sets() const { return extent.all_channels() / group; }
    uint64_t partial_bytes() const { return extent.all_channels() * partials * detail::partial_bytes; }
    /// Words of a channel, and bytes, of the mask of a ReLU: bits [channels][values], every channel from a
    /// new word.
    uint64_t mask_words() const { return ceil_div<uint64_t>(extent.values_per_channel(), word_bits); }
    uint64_t mask_bytes() const { return extent.channels * mask_words() * sizeof(uint32_t); }
};

/// How partials are merged: by `lanes` invocations for a set, `sets` sets in a dispatch.
struct MergePlan {
    uint32_t lanes = 1;
    uint64_t sets = 0;
};
/// For `sets` sets of `items` partials each; `set_bytes` is how far a binding reaches for one more set.
inline MergePlan plan_merge(const PlanLimits& limits, uint64_t sets, uint64_t items, uint64_t set_bytes) {
    const uint32_t lanes = items <= limits.partials_alone()         ? 1
                           : items <= shaders::norm_partials_branch ? shaders::norm_branch
                                                                    : merge_workgroup;
    const uint64_t bound = limits.partials_binding_bytes() / std::max<uint64_t>(set_bytes, 1);
    const uint64_t capacity = uint64_t{limits.groups} * (merge_workgroup / lanes);
    return {.lanes = lanes, .sets = std::min({bound, capacity, sets})};
}
/// Samples whose partials of all channels fit a binding, and one at least.
uint64_t samples_of_a_merge(const NormPlan& plan);

/// Strands of a sequence of so many values, of at most `longest` blocks each: of a chunk's lanes.
Strands plan_strands(uint64_t values, uint32_t lanes, uint64_t longest);

/// Batch normalization's tensor: one sample, every channel a set. Throws std::invalid_argument for a shape
/// out of range.
Extent batch_extent(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout);
/// The tensor whose images are normalized one by one: every image a sample.
Extent image_extent(const std::string& operation, std::span<const uint32_t> shape, vknorm::Layout layout);

/// Throws std::invalid_argument for an extent that the limits do not admit.
NormPlan plan_norm(const std::string& operation, const Extent& extent, Storage storage,
                   const PlanLimits& limits, uint32_t group = 1);

/// For people: order of the tensor, slices, strands, workgroups.
std::string explain(const NormPlan& plan);

}  // namespace vknorm::detail
