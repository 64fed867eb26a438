// Which of a kernel's modules a pass takes: by how the values of a block are reached, by the storage of the
// tensors, and by what the device reads fastest.
#pragma once

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

}  // namespace vknorm::detail
