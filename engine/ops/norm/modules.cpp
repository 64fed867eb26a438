#include "ops/norm/modules.hpp"

#include <algorithm>

namespace vknorm::detail {

namespace {

bool may_all_be_texels(const DeviceState& device, std::span<const BufferView> views) {
    return std::ranges::all_of(views, [&](const BufferView& view) { return may_be_texels(device, view); });
}

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
    return (walk == Walk::sweep || plan.extent.adjacent_channels()) &&
           plan.extent.channels * plan.extent.positions % block_values == 0 &&
           std::ranges::all_of(plan.slices, whole);
}

}  // namespace

uint32_t values_per_address(Form form) {
    return form == Form::vectors || form == Form::quads ? block_values : 1;
}

bool are_aligned(std::span<const BufferView> views, uint32_t bytes) {
    return std::ranges::all_of(views, [bytes](const BufferView& view) { return view.offset % bytes == 0; });
}

const shaders::Shader& AccessModules::choose(const DeviceState& device, const NormPlan& plan,
                                             std::span<const BufferView> tensors) const {
    const BlockAccess access = plan.limits.tuning.blocks;
    if (access == BlockAccess::vectors || !texels || !may_all_be_texels(device, tensors)) return *buffers;
    return access == BlockAccess::texels ? *texels : *texels_wide;
}

NormModules::Choice NormModules::choose(const DeviceState& device, const NormPlan& plan, uint32_t features,
                                        std::initializer_list<BufferView> given,
                                        const ScalingViews& scaling) const {
    const std::span<const BufferView> tensors(given.begin(), given.size());
    const bool aligned = are_aligned(tensors, block_values * plan.element_bytes());
    Form form = plan.extent.adjacent_channels() ? Form::columns : Form::rows;
    if (aligned && plan.extent.positions % block_values == 0) form = Form::vectors;
    const Forms& forms = plan.element_bytes() == sizeof(float) ? thirty_two : sixteen;
    // What they say is of a value of each channel: where a quad has four channels, of an image.
    const uint32_t masks = plan.extent.adjacent_channels() ? shaders::norm_mask | shaders::norm_valid : 0;
    if (form != Form::vectors && aligned && forms.quads.buffers &&
        (features & ~(quad_features | masks)) == 0 && has_quads(plan, walk))
        form = Form::quads;
    if (form == Form::rows) return {*forms.rows, form, walk};
    if (form == Form::columns) return {*forms.columns, form, walk};

    const AccessModules& best = form == Form::vectors ? forms.aligned_vectors : forms.aligned_quads;
    const bool side_by_side = best.buffers && !scaling.adjacent.empty() &&
                              are_aligned(scaling.adjacent, block_values * sizeof(float));
    const AccessModules& access = side_by_side ? best : form == Form::vectors ? forms.vectors : forms.quads;
    std::vector<BufferView> all(tensors.begin(), tensors.end());
    all.insert(all.end(), scaling.all.begin(), scaling.all.end());
    return {access.choose(device, plan, all), form, walk};
}

ScalingViews scaling_views(const NormPlan& plan, const StatisticsView& statistics, const Affine& affine,
                           const BufferView& means) {
    ScalingViews views{.all = {statistics.mean, statistics.deviation, affine.gamma, affine.beta, means}};
    const bool of_channels = plan.extent.adjacent_channels() && plan.group == 1 && !statistics.by_image;
    if (affine.by_position)
        views.adjacent = {affine.gamma, affine.beta};
    else if (of_channels)
        views.adjacent = {statistics.mean, statistics.deviation, affine.gamma, affine.beta};
    return views;
}

}  // namespace vknorm::detail
