// What one dispatch of a pass gets, for a slice of a plan: bindings with the places where its tensors begin,
// push constants, and workgroups.
#pragma once

#include "ops/norm/modules.hpp"
#include "ops/norm/passes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

/// Words of a num_batches_tracked.
constexpr uint32_t batches_words = sizeof(int64_t) / sizeof(uint32_t);

/// What a kernel counts in 32 bits. The plan saw to it that it fits, unless the kernel does not read it.
uint32_t narrow(uint64_t value);
/// `bit` where wanted, else 0.
uint32_t bit_if(bool wanted, uint32_t bit);

/// `count` elements from `first` on; absent stays absent.
AlignedView bind_elements(const Device& device, const BufferView& view, uint64_t first, uint64_t count,
                          uint32_t bytes = sizeof(float));
/// All elements of four bytes.
AlignedView bind_words(const Device& device, const BufferView& view);

/// How the kernel's strands run through a slice.
shaders::NormWalk walk_of(const NormPlan& plan, const Slice& slice, Walk walk, Form form);
Groups groups_of(const NormPlan& plan, const shaders::NormWalk& walk);

/// The specialization constants of the kernels that walk through a tensor.
std::array<uint32_t, 4> walk_constants(const NormPlan& plan, const StatisticsView& statistics,
                                       uint32_t features);

/// Statistics of all sets, bound, and where those of a slice stand.
struct BoundStatistics {
    Binding mean, deviation;
    shaders::NormSets push;
};

/// gamma or beta, bound whole, and the element of the slice's first channel or position.
struct BoundAffine {
    Binding binding;
    uint32_t first;
};

/// Binds what a slice has of each argument.
class SliceBinder {
  public:
    SliceBinder(const Recorder& recorder, const NormPlan& plan, const Slice& slice, Form form);

    /// Its first is what a kernel of that form counts.
    AlignedView tensor(const BufferView& view) const;
    /// The mask of a ReLU, whole, and which of its bits are those of the slice.
    AlignedView relu_mask(const BufferView& view) const;
    shaders::NormMask mask_bits(const AlignedView& relu_mask) const;
    AlignedView valid(const BufferView& view) const;
    AlignedView partials(const BufferView& view) const;
    shaders::NormStrands strands(const AlignedView& partials) const;
    BoundStatistics statistics(const StatisticsView& view) const;
    BoundAffine gamma(const Affine& affine) const;
    BoundAffine beta(const Affine& affine) const;

  private:
    BoundAffine parameter(const BufferView& view, bool by_position) const;

    const Device& device_;
    const NormPlan& plan_;
    const Slice& slice_;
    Form form_;
};

}  // namespace vknorm::detail
