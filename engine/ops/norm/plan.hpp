// How a normalization is cut into work for a device: pure arithmetic on sizes, no Vulkan.
//
// Every normalization is one of the same tensor [samples][images][channels][positions], in this order in
// memory. A line is one channel of one sample; its values form a sequence: image after image, position after
// position, whatever the layout. A set, the values that share a mean, is one line, or the lines of `group`
// neighbouring channels of a sample.
//
// The sequence is read in blocks of four values. A strand is the run of blocks that one invocation reads:
// `blocks` of them, `lanes` apart, so that `lanes` neighbouring strands together read one contiguous chunk.
// Each strand yields one partial result; a fixed tree merges the partials of a set. Strands depend on the
// shape (for tensors larger than a binding on the slices, and on whether the device is a CPU), never on the
// tuning: results have the same bits for every tuning, and in both layouts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <vknorm/tuning.hpp>

namespace vknorm::detail {

/// The numbers of a device that a plan depends on.
struct PlanLimits {
    uint32_t groups = 65535;       ///< workgroups of a dispatch
    uint64_t range = 1u << 27;     ///< bytes of a binding
    uint64_t alignment = 256;      ///< of a binding's offset
    uint32_t parallel = 1u << 18;  ///< invocations that keep the device busy
    Tuning tuning{};
};

enum class Strategy {
    rows,     ///< the values of a line are adjacent: neighbouring invocations read along them
    columns,  ///< channels are adjacent: neighbouring invocations own neighbouring channels
};

/// x as [samples][images][channels][positions]. With adjacent channels there is one position and every
/// spatial point counts as an image.
struct Extent {
    uint64_t samples = 1, images = 0, channels = 0, positions = 0;

    uint64_t values_per_line() const { return images * positions; }
    uint64_t lines() const { return samples * channels; }
    uint64_t sample_elements() const { return images * channels * positions; }
    uint64_t elements() const { return samples * sample_elements(); }
};

/// Strands of one line within one slice.
struct Strands {
    uint32_t lanes = 1;   ///< strands that share a chunk
    uint32_t blocks = 1;  ///< blocks of four values in a strand, at most
    uint32_t count = 0;

    bool operator==(const Strands&) const = default;
};

/// A part of x small enough for one binding: a box of [samples][images][channels][positions].
struct Slice {
    uint64_t sample = 0, image = 0, channel = 0, position = 0;
    uint32_t samples = 0, images = 0, channels = 0, positions = 0;
    Strands strands{};
    uint32_t partial = 0;  ///< of its first strand, among the partials of a line
    Strands sweep{};       ///< those of a pass that gives every value a new one

    uint32_t values_per_line() const { return images * positions; }
    uint32_t strands_of_a_sample() const { return channels * strands.count; }
    /// Of its first value among those of its line.
    uint64_t first_value(const Extent& extent) const { return image * extent.positions + position; }
    uint64_t first_line(const Extent& extent) const { return sample * extent.channels + channel; }
    uint64_t line_range(const Extent& extent) const { return (samples - 1) * extent.channels + channels; }
    /// The range of elements of x from the first to one past the last of the box.
    uint64_t first_element(const Extent& extent) const;
    uint64_t element_range(const Extent& extent) const;
};

struct NormPlan {
    std::string operation{};
    Strategy strategy = Strategy::rows;
    Extent extent{};
    uint32_t element_bytes = 4;
    PlanLimits limits{};
    std::vector<Slice> slices{};
    uint32_t partials = 0;      ///< of one line
    uint32_t sweep_images = 1;  ///< that an invocation visits where it owns elements of an image

    uint64_t partial_bytes() const;
    /// Words of a channel, and bytes, of the mask of a ReLU: bits [channels][values], every channel from a
    /// new word.
    uint64_t mask_words() const;
    uint64_t mask_bytes() const;
    /// Workgroups for `items` work items of one invocation each; every kernel strides over the rest.
    uint32_t groups(uint32_t items) const;
};

constexpr uint32_t block_values = 4;       ///< values of a block
constexpr uint32_t partial_bytes = 16;     ///< of one strand's result
constexpr uint32_t merge_workgroup = 128;  ///< the largest that every device has
constexpr uint32_t chunk_lanes = 8;        ///< blocks that neighbouring strands read side by side: 128 bytes

/// How partials are merged: by `lanes` invocations for a set, `sets` sets in a dispatch.
struct MergePlan {
    uint32_t lanes = 1;
    uint64_t sets = 0;
};
/// For `sets` sets of `items` partials each; `set_bytes` is how far a binding reaches for one more set.
MergePlan plan_merge(const PlanLimits& limits, uint64_t sets, uint64_t items, uint64_t set_bytes);
/// Samples whose partials of all channels fit a binding, and one at least.
uint64_t samples_of_a_merge(const NormPlan& plan);

/// How many blocks, or images, an invocation of a sweep visits at most, so that about `parallel` are busy.
uint32_t sweep_length(const Extent& extent, uint64_t parallel);

/// Strands for `values` values of a line. `length` is the number of blocks in a strand when there are enough.
Strands plan_strands(uint64_t values, uint32_t length);

/// The usual number of blocks in a strand, so that about `parallel` strands make up the tensor, and at most
/// about `most_partials` each line.
uint32_t strand_length(const Extent& extent, uint64_t parallel, uint64_t most_partials);

/// Batch normalization's tensor: one sample, every channel a set. Throws std::invalid_argument for a shape
/// out of range.
Extent batch_extent(const std::string& operation, std::span<const uint32_t> shape, bool channels_last);
/// The tensor whose images are normalized one by one: every image a sample.
Extent image_extent(const std::string& operation, std::span<const uint32_t> shape, bool channels_last);

/// Throws std::invalid_argument for an extent that the limits do not admit.
NormPlan plan_norm(const std::string& operation, const Extent& extent, uint32_t element_bytes,
                   const PlanLimits& limits);

/// For people: strategy, slices, strands, workgroups.
std::string explain(const NormPlan& plan);

}  // namespace vknorm::detail
