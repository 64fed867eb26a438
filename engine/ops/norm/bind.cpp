#include "ops/norm/bind.hpp"

#include <bit>

namespace vknorm::detail {

namespace {

/// Images that make it worth while to find out first which channels a quad has.
constexpr uint32_t fewest_images = 8;

/// Whether every slice is made of whole quads.
bool has_quads(const NormPlan& plan, Walk walk) {
    const auto whole = [&](const Slice& slice) {
        const bool enough = walk == Walk::strands || slice.images >= fewest_images;
        return enough && slice.positions == plan.extent.positions &&
               slice.channels * slice.positions % block_values == 0 &&
               slice.channel * plan.extent.positions % block_values == 0;
    };
    return (walk == Walk::sweep || plan.extent.positions == 1) &&
           plan.extent.channels * plan.extent.positions % block_values == 0 &&
           std::ranges::all_of(plan.slices, whole);
}

shaders::NormWalk sweep_of_quads(const NormPlan& plan, const Slice& slice) {
    const uint32_t quads = slice.channels * slice.positions / block_values;
    return {.samples = slice.samples,
            .sample_pitch = narrow(plan.extent.sample_elements() / block_values),
            .channels = quads,
            .values = slice.images,
            .span = slice.positions,
            .image_pitch = narrow(plan.extent.channels * plan.extent.positions / block_values),
            .blocks = plan.sweep_images,
            .strands = ceil_div(slice.images, plan.sweep_images),
            .inner = quads};
}

}  // namespace

bool are_aligned(std::span<const BufferView> views, uint32_t bytes) {
    return std::ranges::all_of(views, [bytes](const BufferView& view) { return view.offset % bytes == 0; });
}

bool may_all_be_texels(const DeviceState& device, std::span<const BufferView> views) {
    return std::ranges::all_of(views, [&](const BufferView& view) { return may_be_texels(device, view); });
}

const shaders::Shader& NormModules::Access::by(BlockAccess access) const {
    if (access == BlockAccess::vectors || !texels) return *buffers;
    return access == BlockAccess::texels ? *texels : *texels_wide;
}

NormModules::Choice NormModules::choose(const DeviceState& device, const NormPlan& plan, uint32_t features,
                                        std::initializer_list<BufferView> given,
                                        const Numbers& numbers) const {
    const std::span<const BufferView> tensors(given.begin(), given.size());
    const bool aligned = are_aligned(tensors, block_values * plan.element_bytes);
    Form form = plan.strategy == Strategy::columns ? Form::columns : Form::rows;
    if (aligned && plan.extent.positions % block_values == 0) form = Form::vectors;
    const Forms& forms = plan.element_bytes == sizeof(float) ? thirty_two : sixteen;
    // What they say is of a value of each channel: where a quad has four channels, of an image.
    const uint32_t masks = plan.extent.positions == 1 ? shaders::norm_mask | shaders::norm_valid : 0;
    if (form != Form::vectors && aligned && forms.quads.buffers &&
        (features & ~(quad_features | masks)) == 0 && has_quads(plan, walk))
        form = Form::quads;
    if (form == Form::rows) return {*forms.rows, form, walk};
    if (form == Form::columns) return {*forms.columns, form, walk};

    const Access& best = form == Form::vectors ? forms.aligned_vectors : forms.aligned_quads;
    const bool side_by_side = best.buffers && !numbers.side_by_side.empty() &&
                              are_aligned(numbers.side_by_side, block_values * sizeof(float));
    const Access& access = side_by_side ? best : form == Form::vectors ? forms.vectors : forms.quads;
    const bool texels = may_all_be_texels(device, tensors) && may_all_be_texels(device, numbers.all);
    return {access.by(texels ? plan.limits.tuning.blocks : BlockAccess::vectors), form, walk};
}

Numbers numbers_of(const NormPlan& plan, const Tensors& tensors, const Statistics& statistics,
                   const Affine& affine, const BufferView& means) {
    Numbers numbers{.all = {statistics.mean, statistics.deviation, affine.gamma, affine.beta, means}};
    const bool of_channels = plan.extent.positions == 1 && tensors.group == 1 && !statistics.by_image;
    if (affine.by_position)
        numbers.side_by_side = {affine.gamma, affine.beta};
    else if (of_channels)
        numbers.side_by_side = {statistics.mean, statistics.deviation, affine.gamma, affine.beta};
    return numbers;
}

shaders::NormWalk walk(const NormPlan& plan, const Slice& slice, Walk walk, Form form) {
    if (walk == Walk::sweep && form == Form::quads) return sweep_of_quads(plan, slice);
    const Strands& strands = walk == Walk::sweep ? slice.sweep : slice.strands;
    const bool adjacent_channels = form == Form::columns || form == Form::quads;
    const uint64_t scale = unit(form), along = adjacent_channels ? 1 : scale;
    const uint64_t step = block_values * strands.lanes / along, span = slice.positions / along;
    const uint64_t image_pitch = plan.extent.channels * plan.extent.positions / scale;
    const uint32_t channels = slice.channels / (form == Form::quads ? block_values : 1);
    // Whatever keeps neighbours near each other in memory.
    const bool chunks_inner = span >= strands.blocks * step;
    return {.samples = slice.samples,
            .sample_pitch = narrow(plan.extent.sample_elements() / scale),
            .channels = channels,
            .values = slice.values_per_line(),
            .span = narrow(span),
            .channel_pitch = narrow(plan.extent.positions / along),
            .image_pitch = narrow(image_pitch),
            .lane_bits = static_cast<uint32_t>(std::countr_zero(strands.lanes)),
            .blocks = strands.blocks,
            .strands = strands.count,
            .chunks_inner = flag(chunks_inner),
            .inner = chunks_inner ? strands.count / strands.lanes : channels,
            .step_address = narrow(step / span * image_pitch + step % span),
            .step_position = narrow(adjacent_channels ? step : step % span)};
}

}  // namespace vknorm::detail
