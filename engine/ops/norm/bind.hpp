// How the passes of a normalization bind parts of their arguments, and choose among the modules of a kernel.
#pragma once

#include <algorithm>

#include "ops/norm/passes.hpp"
#include "ops/sizes.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

inline uint32_t narrow(uint64_t value) {
    return static_cast<uint32_t>(value);
}

inline uint32_t flag(bool value) {
    return value ? 1 : 0;
}

/// `bit` where wanted.
inline uint32_t feature(uint32_t bit, bool wanted) {
    return wanted ? bit : 0;
}

/// How a kernel reaches the values of a block; see norm/walk.glsl.
enum class Form { vectors, rows, columns, quads };

/// What addresses count.
inline uint32_t unit(Form form) {
    return form == Form::vectors || form == Form::quads ? block_values : 1;
}

/// What a kernel does with its strands: see norm/walk.glsl.
enum class Walk { strands, sweep };

/// What values are normalized with.
struct Numbers {
    std::vector<BufferView> all{};
    std::vector<BufferView> side_by_side{};  ///< those that four adjacent values find so
};
Numbers numbers_of(const NormPlan& plan, const Tensors& tensors, const Statistics& statistics,
                   const Affine& affine, const BufferView& means = {});

/// A kernel's modules, for each way to reach the values of a block.
struct NormModules {
    /// For tensors in buffers and, where there are any, for those that are read as texels, by how they are
    /// written.
    struct Access {
        const shaders::Shader *buffers = nullptr, *texels = nullptr, *texels_wide = nullptr;

        const shaders::Shader& by(BlockAccess access) const;
    };
    struct Choice {
        const shaders::Shader& shader;
        Form form;
        Walk walk;
    };

    /// For tensors whose elements are as long.
    struct Forms {
        const shaders::Shader *rows = nullptr, *columns = nullptr;
        Access vectors{}, quads{};
        Access aligned_vectors{}, aligned_quads{};  ///< where numbers are side by side
    };

    Walk walk;
    uint32_t quad_features = 0;  ///< that quads know
    Forms thirty_two, sixteen;   ///< bits of an element

    Choice choose(const DeviceState& device, const NormPlan& plan, uint32_t features,
                  std::initializer_list<BufferView> tensors, const Numbers& numbers = {}) const;
};

/// Whether each begins at a whole number of so many bytes.
bool are_aligned(std::span<const BufferView> views, uint32_t bytes);
bool may_all_be_texels(const DeviceState& device, std::span<const BufferView> views);

/// See explain_passes.
std::string forward_kernels(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                            const Affine& affine);
std::string backward_kernels(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                             const Affine& affine);

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

/// The constants of the kernels that walk through a tensor.
inline std::array<uint32_t, 4> walk_constants(const NormPlan& plan, const Tensors& tensors,
                                              const Statistics& statistics, uint32_t features) {
    return {plan.limits.tuning.workgroup, statistics.kind, flag(tensors.bfloat16), features};
}

/// How the kernel's strands run through a slice.
shaders::NormWalk walk(const NormPlan& plan, const Slice& slice, Walk walk, Form form);

inline Groups walk_groups(const NormPlan& plan, const shaders::NormWalk& walk) {
    return {.x = plan.groups(walk.channels * walk.strands), .y = std::min(walk.samples, 65535u)};
}

/// Binds parts of arguments, and knows where in the binding each begins.
class Parts {
  public:
    explicit Parts(const Recorder& recorder) : device_(recorder.device()) {}

    /// `count` elements from `first` on; absent stays absent.
    AlignedView elements(const BufferView& view, uint64_t first, uint64_t count, uint32_t bytes = 4) const {
        if (!view || count == 0) return {};
        return align_down(device_, {view.buffer, view.offset + first * bytes, count * bytes}, bytes);
    }
    /// All elements of four bytes.
    AlignedView all(const BufferView& view) const { return elements(view, 0, view.bytes / 4); }
    /// A slice of a tensor; its first is what a kernel of that form counts.
    AlignedView box(const NormPlan& plan, const Slice& slice, Form form, const BufferView& tensor) const {
        AlignedView box = elements(tensor, slice.first_element(plan.extent), slice.element_range(plan.extent),
                                   plan.element_bytes);
        box.first /= unit(form);
        return box;
    }
    AlignedView mask(const NormPlan& plan, const BufferView& view) const {
        return elements(view, 0, plan.mask_bytes() / sizeof(uint32_t));
    }
    AlignedView valid(const NormPlan& plan, const Slice& slice, const BufferView& view) const {
        return elements(view, slice.first_value(plan.extent), slice.values_per_line());
    }
    AlignedView partials(const NormPlan& plan, const Slice& slice, const BufferView& view) const {
        return elements(view, slice.first_line(plan.extent) * plan.partials,
                        slice.line_range(plan.extent) * plan.partials, partial_bytes);
    }

  private:
    const Device& device_;
};

inline shaders::NormStrands strands_of(const NormPlan& plan, const Slice& slice,
                                       const AlignedView& partials) {
    return {.first = partials.first + slice.partial,
            .pitch = plan.partials,
            .sample_pitch = narrow(plan.extent.channels * plan.partials)};
}

/// Statistics of all sets, bound, and where those of a slice stand.
struct BoundStatistics {
    Binding mean, deviation;
    shaders::NormSets push;
};

inline BoundStatistics bind(const Parts& parts, const NormPlan& plan, const Tensors& tensors,
                            const Slice& slice, const Statistics& statistics) {
    const uint64_t sample_sets = plan.extent.channels / tensors.group;
    const uint64_t sets = statistics.by_image ? plan.extent.images : plan.extent.samples * sample_sets;
    const bool pairs = statistics.kind == shaders::norm_of_batch;
    const bool has_mean = statistics.kind != shaders::norm_of_squares;
    const AlignedView mean = parts.elements(statistics.mean, 0, has_mean ? (pairs ? 2 * sets : sets) : 0);
    const AlignedView deviation = parts.elements(statistics.deviation, 0, sets);
    const uint64_t first = statistics.by_image ? slice.image : slice.sample * sample_sets;
    return {read(mean.view),
            read(deviation.view),
            {.first_channel = narrow(slice.channel),
             .group = tensors.group,
             .sample_sets = narrow(sample_sets),
             .low = narrow(sets),
             .mean_first = narrow(mean.first + first),
             .deviation_first = narrow(deviation.first + first),
             .epsilon = statistics.epsilon}};
}

/// gamma or beta, bound whole, and the element of the slice's first channel or position.
struct BoundAffine {
    Binding binding;
    uint32_t first;
};

inline BoundAffine bind_affine(const Parts& parts, const NormPlan& plan, const Slice& slice,
                               const BufferView& view, bool by_position) {
    const AlignedView whole =
        parts.elements(view, 0, by_position ? plan.extent.positions : plan.extent.channels);
    return {read(whole.view), narrow(whole.first + (by_position ? slice.position : slice.channel))};
}

inline shaders::NormMask mask_of(const NormPlan& plan, const Slice& slice, const AlignedView& mask) {
    return {.first = mask.first,
            .pitch = narrow(plan.mask_words()),
            .value_first = narrow(slice.first_value(plan.extent))};
}

}  // namespace vknorm::detail
