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

/// How a kernel reaches the values of a block; see shaders/norm/walk.glsl.
enum class Form { vectors, rows, columns, quads };

/// Values that an address of that form counts.
uint32_t values_per_address(Form form);

/// What a kernel does with its strands: see shaders/norm/walk.glsl.
enum class Walk { strands, sweep };

/// The numbers that a kernel normalizes values with.
struct ScalingViews {
    std::vector<BufferView> all{};
    std::vector<BufferView> adjacent{};  ///< those that four adjacent values find side by side
};
ScalingViews scaling_views(const NormPlan& plan, const StatisticsView& statistics, const Affine& affine,
                           const BufferView& means = {});

/// Modules that differ in how they read and write blocks: tensors in buffers and, where there are any, those
/// that are read as texels, by how they are written.
struct AccessModules {
    const shaders::Shader *buffers = nullptr, *texels = nullptr, *texels_wide = nullptr;

    /// `tensors` are all that the kernel reads blocks from.
    const shaders::Shader& choose(const DeviceState& device, const NormPlan& plan,
                                  std::span<const BufferView> tensors) const;
};

/// A kernel's modules, for each way to reach the values of a block.
struct NormModules {
    struct Choice {
        const shaders::Shader& shader;
        Form form;
        Walk walk;
    };

    /// For tensors whose elements are as long.
    struct Forms {
        const shaders::Shader *rows = nullptr, *columns = nullptr;
        AccessModules vectors{}, quads{};
        AccessModules aligned_vectors{}, aligned_quads{};  ///< where the scaling is adjacent
    };

    Walk walk;
    uint32_t quad_features = 0;  ///< that quads know
    Forms thirty_two, sixteen;   ///< bits of an element

    /// Absent tensors stand nowhere, and so are aligned.
    Choice choose(const DeviceState& device, const NormPlan& plan, uint32_t features,
                  std::initializer_list<BufferView> tensors, const ScalingViews& scaling = {}) const;
};

/// Whether each begins at a whole number of so many bytes.
bool are_aligned(std::span<const BufferView> views, uint32_t bytes);

/// Of a kernel that only reads tensors, and of one that writes them, too.
#define VKNORM_READER(NAME) \
    { &shaders::NAME, &shaders::NAME##_texels, &shaders::NAME##_texels }
#define VKNORM_WRITER(NAME) \
    { &shaders::NAME, &shaders::NAME##_texels, &shaders::NAME##_texels_wide }
/// What every kernel has; the others follow.
#define VKNORM_FORMS(NAME, ACCESS)                                                                         \
    .rows = &shaders::NAME##_rows, .columns = &shaders::NAME##_columns, .vectors = ACCESS(NAME##_vectors), \
    .quads = ACCESS(NAME##_quads)
#define VKNORM_SWEEP_FORMS(NAME)                                                                     \
    {                                                                                                \
        VKNORM_FORMS(NAME, VKNORM_WRITER), .aligned_vectors = VKNORM_WRITER(NAME##_aligned_vectors), \
                                           .aligned_quads = VKNORM_WRITER(NAME##_aligned_quads)      \
    }

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
