#include "ops/norm/bind.hpp"

#include <algorithm>
#include <bit>

#include "ops/sizes.hpp"

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

uint32_t narrow(uint64_t value) {
    return static_cast<uint32_t>(value);
}

uint32_t bit_if(bool wanted, uint32_t bit) {
    return wanted ? bit : 0;
}

AlignedView bind_elements(const Device& device, const BufferView& view, uint64_t first, uint64_t count,
                          uint32_t bytes) {
    if (!view || count == 0) return {};
    return align_down(device, {view.buffer, view.offset + first * bytes, count * bytes}, bytes);
}

AlignedView bind_words(const Device& device, const BufferView& view) {
    return bind_elements(device, view, 0, view.bytes / sizeof(uint32_t));
}

shaders::NormWalk walk_of(const NormPlan& plan, const Slice& slice, Walk walk, Form form) {
    if (walk == Walk::sweep && form == Form::quads) return sweep_of_quads(plan, slice);
    const Strands& strands = walk == Walk::sweep ? slice.sweep : slice.strands;
    const bool adjacent_channels = form == Form::columns || form == Form::quads;
    const uint64_t scale = values_per_address(form), along = adjacent_channels ? 1 : scale;
    const uint64_t step = block_values * strands.lanes / along, span = slice.positions / along;
    const uint64_t image_pitch = plan.extent.channels * plan.extent.positions / scale;
    const uint32_t channels = slice.channels / (form == Form::quads ? block_values : 1);
    // Whatever keeps neighbours near each other in memory.
    const bool chunks_inner = span >= strands.blocks * step;
    return {.samples = slice.samples,
            .sample_pitch = narrow(plan.extent.sample_elements() / scale),
            .channels = channels,
            .values = slice.values_per_channel(),
            .span = narrow(span),
            .channel_pitch = narrow(plan.extent.positions / along),
            .image_pitch = narrow(image_pitch),
            .lane_bits = static_cast<uint32_t>(std::countr_zero(strands.lanes)),
            .blocks = strands.blocks,
            .strands = strands.count,
            .chunks_inner = chunks_inner,
            .inner = chunks_inner ? strands.count / strands.lanes : channels,
            .step_address = narrow(step / span * image_pitch + step % span),
            .step_position = narrow(adjacent_channels ? step : step % span)};
}

Groups groups_of(const NormPlan& plan, const shaders::NormWalk& walk) {
    return {.x = plan.groups(walk.channels * walk.strands), .y = std::min(walk.samples, most_groups_in_y)};
}

std::array<uint32_t, 4> walk_constants(const NormPlan& plan, const StatisticsView& statistics,
                                       uint32_t features) {
    return {plan.limits.tuning.workgroup, statistics.kind, plan.storage == Storage::bfloat16, features};
}

SliceBinder::SliceBinder(const Recorder& recorder, const NormPlan& plan, const Slice& slice, Form form)
    : device_(recorder.device()), plan_(plan), slice_(slice), form_(form) {}

AlignedView SliceBinder::tensor(const BufferView& view) const {
    AlignedView box = bind_elements(device_, view, slice_.first_element(plan_.extent),
                                    slice_.element_range(plan_.extent), plan_.element_bytes());
    box.first /= values_per_address(form_);
    return box;
}

AlignedView SliceBinder::relu_mask(const BufferView& view) const {
    return bind_elements(device_, view, 0, plan_.mask_bytes() / sizeof(uint32_t));
}

shaders::NormMask SliceBinder::mask_bits(const AlignedView& relu_mask) const {
    return {.first = relu_mask.first,
            .pitch = narrow(plan_.mask_words()),
            .value_first = narrow(slice_.first_value(plan_.extent))};
}

AlignedView SliceBinder::valid(const BufferView& view) const {
    return bind_elements(device_, view, slice_.first_value(plan_.extent), slice_.values_per_channel());
}

AlignedView SliceBinder::partials(const BufferView& view) const {
    return bind_elements(device_, view, slice_.first_channel(plan_.extent) * plan_.partials,
                         slice_.channel_range(plan_.extent) * plan_.partials, partial_bytes);
}

shaders::NormStrands SliceBinder::strands(const AlignedView& partials) const {
    return {.first = partials.first + slice_.partial,
            .pitch = plan_.partials,
            .sample_pitch = narrow(plan_.extent.channels * plan_.partials)};
}

BoundStatistics SliceBinder::statistics(const StatisticsView& view) const {
    const uint64_t sample_sets = plan_.sets_of_a_sample();
    const uint64_t sets = view.by_image ? plan_.extent.images : plan_.sets();
    const bool pairs = view.kind == shaders::norm_of_batch;
    const bool has_mean = view.kind != shaders::norm_of_squares;
    const AlignedView mean = bind_elements(device_, view.mean, 0, has_mean ? (pairs ? 2 * sets : sets) : 0);
    const AlignedView deviation = bind_elements(device_, view.deviation, 0, sets);
    const uint64_t first = view.by_image ? slice_.image : slice_.sample * sample_sets;
    return {read(mean.view),
            read(deviation.view),
            {.first_channel = narrow(slice_.channel),
             .group = plan_.group,
             .sample_sets = narrow(sample_sets),
             .low = narrow(sets),
             .mean_first = narrow(mean.first + first),
             .deviation_first = narrow(deviation.first + first),
             .epsilon = view.epsilon}};
}

BoundAffine SliceBinder::gamma(const Affine& affine) const {
    return parameter(affine.gamma, affine.by_position);
}

BoundAffine SliceBinder::beta(const Affine& affine) const {
    return parameter(affine.beta, affine.by_position);
}

BoundAffine SliceBinder::parameter(const BufferView& view, bool by_position) const {
    const Extent& extent = plan_.extent;
    const AlignedView whole =
        bind_elements(device_, view, 0, by_position ? extent.positions : extent.channels);
    return {read(whole.view), narrow(whole.first + (by_position ? slice_.position : slice_.channel))};
}

}  // namespace vknorm::detail
