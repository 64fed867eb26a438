// What one dispatch of a pass gets, for a slice of a plan: a module of its kernel, bindings with the places
// where its tensors begin, push constants, and workgroups.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <vector>

#include "ops/norm/passes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

/// What a kernel does with a slice: strands are measured, a sweep gives every value a new one.
enum class Walk { strands, sweep };

/// The numbers that a kernel normalizes values with.
struct ScalingViews {
    std::vector<BufferView> all{};
    std::vector<BufferView> adjacent{};  ///< those that four adjacent values find side by side
};
ScalingViews scaling_views(const NormPlan& plan, const StatisticsView& statistics, const Affine& affine,
                           const BufferView& means = {});

/// A kernel's modules by how they read and write blocks.
struct AccessModules {
    const shaders::Shader *buffers = nullptr, *texels = nullptr, *wide = nullptr, *texels_wide = nullptr;

    /// `tensors` are all that the kernel reads blocks from.
    const shaders::Shader& choose(const DeviceState& device, const NormPlan& plan,
                                  std::span<const BufferView> tensors) const;
};
/// And by the bits of an element.
struct NormModules {
    AccessModules thirty_two, sixteen;
};
/// Of a kernel that only reads tensors, and of one that writes them, too.
#define VKNORM_READER(NAME)                                                   \
    {                                                                         \
        .thirty_two = {&shaders::NAME, &shaders::NAME##_texels}, .sixteen = { \
            &shaders::NAME##_sixteen,                                         \
            &shaders::NAME##_sixteen_texels                                   \
        }                                                                     \
    }
#define VKNORM_WRITER(NAME)                                                            \
    {                                                                                  \
        .thirty_two = {&shaders::NAME, &shaders::NAME##_texels, &shaders::NAME##_wide, \
                       &shaders::NAME##_texels_wide},                                  \
        .sixteen = {                                                                   \
            &shaders::NAME##_sixteen,                                                  \
            &shaders::NAME##_sixteen_texels,                                           \
            &shaders::NAME##_sixteen_wide,                                             \
            &shaders::NAME##_sixteen_texels_wide                                       \
        }                                                                              \
    }

/// Which module walks through a tensor, and how: bits of norm.h, the same in all slices.
struct WalkChoice {
    const shaders::Shader& shader;
    Walk walk;
    uint32_t bits;

    bool has(uint32_t bit) const { return (bits & bit) != 0; }
    bool aligned() const { return has(shaders::norm_aligned); }
};
/// Absent tensors stand nowhere, and so are aligned.
WalkChoice choose_walk(const DeviceState& device, const NormPlan& plan, const NormModules& modules, Walk walk,
                       std::initializer_list<BufferView> tensors, const ScalingViews& scaling = {});

/// Whether each begins at a whole number of so many bytes.
bool are_aligned(std::span<const BufferView> views, uint32_t bytes);

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

/// A kernel's way through a slice: what it is told, and how many workgroups of which size.
struct SliceWalk {
    shaders::NormWalk push{};
    uint32_t width = 0, height = 0;  ///< invocations of a workgroup
    Groups groups{};
};
SliceWalk walk_of(const NormPlan& plan, const Slice& slice, const WalkChoice& choice);
/// The specialization constants of the kernels that walk through a tensor.
std::array<uint32_t, 6> walk_constants(const NormPlan& plan, const SliceWalk& walk, const WalkChoice& choice,
                                       const StatisticsView& statistics, uint32_t features);

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

/// What becomes of the moments of `sets` sets from `first` on, of the pass's sets, bound.
struct BoundFinish {
    BoundFinish(const Device& device, const NormPlan& plan, const FinalizePass& pass, uint64_t first,
                uint64_t sets);

    AlignedView mean, inv_std, running_mean, running_var;
    shaders::NormFinish push;
};

/// Binds what a slice has of each argument.
class SliceBinder {
  public:
    SliceBinder(const Recorder& recorder, const NormPlan& plan, const Slice& slice, bool aligned);

    /// Its first counts blocks where they are aligned, else elements.
    AlignedView tensor(const BufferView& view) const;
    /// The mask of a ReLU, whole.
    AlignedView relu_mask(const BufferView& view) const;
    shaders::NormMask mask_bits(const AlignedView& relu_mask) const;
    /// Its first is that of the first value of a channel, bound or not.
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
    bool aligned_;
};

}  // namespace vknorm::detail
