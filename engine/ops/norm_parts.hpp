// How the passes of a normalization bind parts of their arguments, and choose among the modules of a kernel.
#pragma once

#include <algorithm>
#include <bit>

#include "ops/norm_passes.hpp"
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

/// A kernel's modules, one for each way to reach the values of a block, for plain batch normalization, for
/// more, and for tensors of 16 bits; see norm_walk.glsl.
struct NormModules {
    const shaders::Shader* modules[3][3];
    uint32_t plain_features;                  ///< what the plain ones know
    const shaders::Shader* texels = nullptr;  ///< in place of the plain one of vectors, where that gains

    struct Choice {
        const shaders::Shader& shader;
        bool plain;
    };
    Choice choose(const Device& device, const NormPlan& plan, const Statistics& statistics, uint32_t features,
                  std::initializer_list<BufferView> tensors) const {
        const bool aligned = std::ranges::all_of(tensors, [&](const BufferView& tensor) {
            return tensor.offset % (block_values * plan.element_bytes) == 0;
        });
        const bool vectors = plan.extent.positions % block_values == 0 && aligned;
        const size_t form = plan.strategy == Strategy::columns ? 2 : vectors ? 0 : 1;
        const bool usual = statistics.kind != shaders::norm_of_moving;
        const bool plain = plan.element_bytes == 4 && usual && (features & ~plain_features) == 0;
        const auto as_texels = [&](const BufferView& tensor) { return may_be_texels(device, tensor); };
        if (texels && plain && form == 0 && std::ranges::all_of(tensors, as_texels)) return {*texels, true};
        return {*modules[plan.element_bytes == 2 ? 2 : plain ? 0 : 1][form], plain};
    }
};

#define VKNORM_NORM_MODULES(PASS, PLAIN_FEATURES)                                     \
    {                                                                                 \
        {{&shaders::PASS##_vectors, &shaders::PASS##_rows, &shaders::PASS##_columns}, \
         {&shaders::PASS##_general_vectors, &shaders::PASS##_general_rows,            \
          &shaders::PASS##_general_columns},                                          \
         {&shaders::PASS##_sixteen_vectors, &shaders::PASS##_sixteen_rows,            \
          &shaders::PASS##_sixteen_columns}},                                         \
            PLAIN_FEATURES, &shaders::PASS##_texels                                   \
    }

/// The constants of the kernels that walk through a tensor.
inline std::array<uint32_t, 4> walk_constants(const NormPlan& plan, const Tensors& tensors,
                                              const Statistics& statistics, uint32_t features) {
    return {plan.limits.workgroup, statistics.kind, flag(tensors.bfloat16), features};
}

inline shaders::NormWalk walk(const NormPlan& plan, const Slice& slice) {
    const uint32_t step = block_values * slice.strands.lanes;
    const uint64_t image_pitch = plan.extent.channels * plan.extent.positions;
    // Whatever keeps neighbours near each other in memory.
    const bool chunks_inner = slice.positions >= slice.strands.blocks * step;
    const bool columns = plan.strategy == Strategy::columns;
    return {.samples = slice.samples,
            .sample_pitch = narrow(plan.extent.sample_elements()),
            .channels = slice.channels,
            .values = slice.values_per_line(),
            .span = slice.positions,
            .channel_pitch = narrow(plan.extent.positions),
            .image_pitch = narrow(image_pitch),
            .lane_bits = static_cast<uint32_t>(std::countr_zero(slice.strands.lanes)),
            .blocks = slice.strands.blocks,
            .strands = slice.strands.count,
            .chunks_inner = flag(chunks_inner),
            .inner = chunks_inner ? slice.strands.count / slice.strands.lanes : slice.channels,
            .step_address = narrow(step / slice.positions * image_pitch + step % slice.positions),
            .step_position = columns ? step : step % slice.positions};
}

inline Groups walk_groups(const NormPlan& plan, const Slice& slice) {
    return {.x = plan.groups(slice.strands_of_a_sample()), .y = std::min(slice.samples, 65535u)};
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
    AlignedView box(const NormPlan& plan, const Slice& slice, const BufferView& tensor) const {
        return elements(tensor, slice.first_element(plan.extent), slice.element_range(plan.extent),
                        plan.element_bytes);
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
