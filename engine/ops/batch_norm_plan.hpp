// How a batch normalization is cut into work for a device: pure arithmetic on sizes, no Vulkan.
//
// The m values of a channel form a sequence: image after image, position after position, whatever the layout.
// The sequence is read in blocks of four values. A strand is the run of blocks that one invocation reads:
// `blocks` of them, `lanes` apart, so that `lanes` neighbouring strands together read one contiguous chunk.
// Each strand yields one partial result; a fixed tree merges the partials of a channel. Strands depend on the
// shape (for tensors larger than a binding on the slices, and on whether the device is a CPU), never on the
// workgroup: results have the same bits for every workgroup size, and in both layouts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vknorm::detail {

/// The numbers of a device that a plan depends on.
struct PlanLimits {
    uint32_t workgroup = 128;      ///< invocations of a workgroup
    uint32_t groups = 65535;       ///< workgroups of a dispatch
    uint64_t range = 1u << 27;     ///< bytes of a binding
    uint64_t alignment = 256;      ///< of a binding's offset
    uint32_t parallel = 1u << 18;  ///< invocations that keep the device busy
};

enum class Strategy {
    rows,     ///< the values of a channel are adjacent: neighbouring invocations read along them
    columns,  ///< channels are adjacent: neighbouring invocations own neighbouring channels
};

/// x as [images][channels][positions]. With adjacent channels there is one position and every spatial point
/// counts as an image.
struct Extent {
    uint64_t images = 0, channels = 0, positions = 0;

    uint64_t values_per_channel() const { return images * positions; }
    uint64_t elements() const { return images * channels * positions; }
};

/// Strands of one channel within one slice.
struct Strands {
    uint32_t lanes = 1;   ///< strands that share a chunk
    uint32_t blocks = 1;  ///< blocks of four values in a strand, at most
    uint32_t count = 0;

    bool operator==(const Strands&) const = default;
};

/// A part of x small enough for one binding: a box of [images][channels][positions].
struct Slice {
    uint64_t image = 0, channel = 0, position = 0;
    uint32_t images = 0, channels = 0, positions = 0;
    Strands strands{};
    uint32_t partial = 0;  ///< of its first strand, among the partials of a channel

    uint32_t values_per_channel() const { return images * positions; }
    uint32_t strand_count() const { return channels * strands.count; }
    /// The range of elements of x from the first to one past the last of the box.
    uint64_t first_element(const Extent& extent) const;
    uint64_t element_range(const Extent& extent) const;
};

struct BatchNormPlan {
    Strategy strategy = Strategy::rows;
    Extent extent{};
    PlanLimits limits{};
    std::vector<Slice> slices{};
    uint32_t partials = 0;          ///< of one channel
    uint32_t merge_lanes = 1;       ///< invocations that merge the partials of one channel
    uint32_t channels_a_merge = 0;  ///< channels that one merging dispatch covers
    uint64_t scratch_bytes = 0;

    /// Workgroups for `items` work items of one invocation each; every kernel strides over the rest.
    uint32_t groups(uint32_t items) const;
};

constexpr uint32_t block_values = 4;       ///< values of a block
constexpr uint32_t partial_bytes = 16;     ///< of one strand's result
constexpr uint32_t merge_workgroup = 128;  ///< the smallest that every device has
constexpr uint32_t chunk_lanes = 8;        ///< blocks that neighbouring strands read side by side: 128 bytes

/// Strands for `values` values of a channel. `length` is the number of blocks in a strand when there are
/// enough.
Strands plan_strands(uint64_t values, uint32_t length);

/// The usual number of blocks in a strand, so that about `parallel` strands make up the tensor, and at most
/// about `most_partials` each channel.
uint32_t strand_length(const Extent& extent, uint64_t parallel, uint64_t most_partials);

/// Throws std::invalid_argument for a shape out of range, or one that the limits do not admit.
BatchNormPlan plan_batch_norm(std::span<const uint32_t> shape, bool channels_last, const PlanLimits& limits);

/// For people: strategy, slices, strands, workgroups, scratch.
std::string explain(const BatchNormPlan& plan);

}  // namespace vknorm::detail
