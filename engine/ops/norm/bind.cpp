#include "ops/norm/bind.hpp"

#include <algorithm>
#include <bit>

#include "ops/sizes.hpp"

namespace vknorm::detail {

namespace {

bool may_all_be_texels(const DeviceState& device, std::span<const BufferView> views) {
    return std::ranges::all_of(views, [&](const BufferView& view) { return may_be_texels(device, view); });
}

/// How many workgroups cover so many items.
uint32_t groups_over(uint64_t items, uint32_t size) {
    return narrow(ceil_div<uint64_t>(items, size));
}

/// Whether an invocation has four adjacent elements of an image.
bool has_adjacent(const NormPlan& plan, Walk walk) {
    if (walk == Walk::sweep && plan.sweeps_rows()) return false;
    return plan.across || plan.extent.channels_last;
}

/// Whether rows and images of all slices are made of whole fours, or eights, of elements.
bool are_whole(const NormPlan& plan, bool adjacent, uint32_t values) {
    const Extent& extent = plan.extent;
    const auto whole = [&](uint64_t elements) { return elements % values == 0; };
    const auto slice_is_whole = [&](const Slice& slice) {
        if (!adjacent) return whole(slice.position) && whole(slice.positions);
        const uint64_t positions = extent.adjacent_channels() ? 1 : extent.positions;
        return whole(slice.channel * positions) && whole(slice.channels * positions);
    };
    const uint64_t pitch = !adjacent                    ? extent.positions
                           : extent.adjacent_channels() ? extent.channels
                                                        : extent.image_elements();
    return whole(pitch) && std::ranges::all_of(plan.slices, slice_is_whole);
}

/// Blocks, or images, that an invocation of a sweep visits at most.
uint32_t sweep_length(const NormPlan& plan, uint64_t blocks, uint32_t most) {
    const uint64_t balanced = ceil_div(blocks, plan.limits.parallel());
    return static_cast<uint32_t>(std::clamp<uint64_t>(std::bit_ceil(balanced), std::min(2u, most), most));
}

/// The workgroups for so many items of work in x, y and z: of few shapes, so that there are few pipelines.
SliceWalk with_workgroups(const NormPlan& plan, const shaders::NormWalk& push,
                          const std::array<uint64_t, 3>& items) {
    const auto [width, height, depth] = items;
    const uint32_t all = std::bit_floor(plan.limits.tuning.workgroup);
    const uint32_t lanes = std::min(plan.limits.chunk_lanes(), all);
    SliceWalk walk{.push = push};
    walk.width = width >= all ? all : width >= 4 * lanes ? std::min(4 * lanes, all) : lanes;
    if (groups_over(width, walk.width) > plan.limits.groups) walk.width = all;
    walk.height = all / walk.width;
    walk.groups = {groups_over(width, walk.width), groups_over(height, walk.height), narrow(depth)};
    return walk;
}

}  // namespace

bool are_aligned(std::span<const BufferView> views, uint32_t bytes) {
    return std::ranges::all_of(views, [bytes](const BufferView& view) { return view.offset % bytes == 0; });
}

const shaders::Shader& AccessModules::choose(const DeviceState& device, const NormPlan& plan,
                                             std::span<const BufferView> tensors) const {
    const Tuning& tuning = plan.limits.tuning;
    const bool as_texels = tuning.loads == BlockLoads::texels && texels && may_all_be_texels(device, tensors);
    if (tuning.stores == BlockStores::wide && wide) return as_texels ? *texels_wide : *wide;
    return as_texels ? *texels : *buffers;
}

WalkChoice choose_walk(const DeviceState& device, const NormPlan& plan, const NormModules& modules, Walk walk,
                       std::initializer_list<BufferView> given, const ScalingViews& scaling) {
    const std::span<const BufferView> tensors(given.begin(), given.size());
    const Extent& extent = plan.extent;
    const bool adjacent = has_adjacent(plan, walk);
    const bool split = adjacent && !extent.adjacent_channels();
    const uint32_t block_bytes = block_values * plan.element_bytes();
    const bool aligned = are_aligned(tensors, block_bytes) && are_whole(plan, adjacent, block_values);
    const bool is_paired = aligned && !adjacent && are_aligned(tensors, 2 * block_bytes) &&
                           are_whole(plan, false, 2 * block_values);
    const bool strands = walk == Walk::strands;
    const bool side_by_side = aligned && !split && !scaling.adjacent.empty() &&
                              are_aligned(scaling.adjacent, block_values * sizeof(float));
    const uint32_t bits =
        bit_if(aligned, shaders::norm_aligned) | bit_if(adjacent, shaders::norm_adjacent) |
        bit_if(split, shaders::norm_split) |
        bit_if(plan.across && extent.positions > 1 && (strands || split), shaders::norm_across) |
        bit_if(strands && !adjacent && plan.whole_rows(), shaders::norm_whole_rows) |
        bit_if(extent.samples > 1 && extent.images > 1, shaders::norm_ghosts) |
        bit_if(side_by_side, shaders::norm_side_by_side) | bit_if(is_paired, shaders::norm_paired) |
        bit_if(split && extent.positions % block_values == 0, shaders::norm_of_a_row);
    const AccessModules& access =
        plan.element_bytes() == sizeof(float) ? modules.thirty_two : modules.sixteen;
    if (!aligned) return {*access.buffers, walk, bits};
    std::vector<BufferView> all(tensors.begin(), tensors.end());
    all.insert(all.end(), scaling.all.begin(), scaling.all.end());
    return {access.choose(device, plan, all), walk, bits};
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

SliceWalk walk_of(const NormPlan& plan, const Slice& slice, const WalkChoice& choice) {
    const Extent& extent = plan.extent;
    const Tuning& tuning = plan.limits.tuning;
    const bool adjacent = choice.has(shaders::norm_adjacent), split = choice.has(shaders::norm_split);
    const bool strands = choice.walk == Walk::strands;
    const uint64_t scale = choice.aligned() ? block_values : 1;
    const uint64_t image_pitch = extent.image_elements() / scale;
    // What z counts: rows, or positions, of samples.
    const uint64_t row_pitch = strands && plan.across ? extent.channels / scale : image_pitch;
    uint64_t rows = slice.images;
    if (adjacent && (!strands || plan.across)) rows = strands && !split ? slice.positions : 1;

    shaders::NormWalk push{.positions = narrow(extent.positions),
                           .z_pitch = narrow(rows > 1 || extent.samples == 1 ? row_pitch : 0),
                           .z_of_sample = narrow(rows),
                           .sample_pitch = narrow(extent.samples > 1 ? extent.images * image_pitch : 0),
                           .value_first = narrow(slice.first_value(extent))};
    uint64_t width, height;  // in items of work
    if (adjacent) {
        push.width = narrow(uint64_t{slice.channels} * (split ? slice.positions : 1));
        push.value_pitch =
            narrow(split || (strands && plan.across) || !extent.channels_last ? image_pitch
                                                                              : extent.channels / scale);
        width = ceil_div<uint64_t>(push.width, block_values);
    } else {
        push.width = choice.has(shaders::norm_whole_rows) ? slice.channels : slice.strands.of_a_row;
        width = push.width;
    }
    if (strands) {
        push.values = plan.across ? slice.images : slice.positions;
        push.blocks = slice.strands.blocks;
        push.lane_bits = static_cast<uint32_t>(std::countr_zero(slice.strands.lanes));
        height = adjacent                               ? slice.strands.of_a_row
                 : choice.has(shaders::norm_whole_rows) ? 1
                                                        : slice.channels;
    } else if (adjacent) {
        push.values = split ? slice.images : slice.values_per_channel();
        const uint32_t most = std::max<uint32_t>(
            tuning.images, narrow(ceil_div<uint64_t>(push.values, PlanLimits::groups_in_y)));
        push.blocks = sweep_length(plan, width * push.values, most);
        height = ceil_div(push.values, push.blocks);
    } else {
        push.values = slice.positions;
        const uint64_t blocks = ceil_div<uint64_t>(slice.positions, block_values);
        const uint32_t lanes = plan.limits.chunk_lanes();
        const uint32_t length =
            sweep_length(plan, blocks * slice.channels * slice.images * slice.samples, tuning.sweep);
        const Strands pairs =
            plan_strands(ceil_div<uint64_t>(slice.positions, 2), lanes, std::max(length / 2, 1u));
        push.blocks = pairs.blocks;
        push.lane_bits = static_cast<uint32_t>(std::countr_zero(lanes));
        push.width = pairs.of_a_row;
        width = push.width;
        height = slice.channels;
    }
    push.height = narrow(height);

    return with_workgroups(plan, push, {width, height, rows * slice.samples});
}

std::array<uint32_t, 6> walk_constants(const NormPlan& plan, const SliceWalk& walk, const WalkChoice& choice,
                                       const StatisticsView& statistics, uint32_t features) {
    return {walk.width,      walk.height, plan.storage == Storage::bfloat16,
            statistics.kind, features,    choice.bits};
}

BoundFinish::BoundFinish(const Device& device, const NormPlan& plan, const FinalizePass& pass, uint64_t first,
                         uint64_t sets) {
    const RunningUpdate& running = pass.running;
    const StagedStatistics staged(running, plan.channel_bytes());
    const uint64_t all = pass.from.sets;
    mean = bind_elements(device, pass.mean, first, all + sets);  // both halves
    inv_std = bind_elements(device, pass.inv_std, first, sets);
    running_mean = bind_elements(device, staged.mean, first, sets);
    running_var = bind_elements(device, staged.var, first, sets);
    push = {.low = narrow(all),
            .mean_first = mean.first,
            .inv_std_first = inv_std.first,
            .running_mean_first = running_mean.first,
            .running_var_first = running_var.first,
            .gives = bit_if(bool(mean.view), shaders::norm_gives_mean) |
                     bit_if(bool(inv_std.view), shaders::norm_gives_inv_std),
            .least = running.least,
            .root_mean_square = pass.root_mean_square,
            .take = running.take,
            .keep = running.keep,
            .unbiased = running.unbiased ? 1.f : 0.f,
            .epsilon = pass.epsilon,
            .staged = bool(running.staging)};
}

SliceBinder::SliceBinder(const Recorder& recorder, const NormPlan& plan, const Slice& slice, bool aligned)
    : device_(recorder.device()), plan_(plan), slice_(slice), aligned_(aligned) {}

AlignedView SliceBinder::tensor(const BufferView& view) const {
    AlignedView box = bind_elements(device_, view, slice_.first_element(plan_.extent),
                                    slice_.element_range(plan_.extent), plan_.element_bytes());
    if (aligned_) box.first /= block_values;
    return box;
}

AlignedView SliceBinder::relu_mask(const BufferView& view) const {
    return bind_elements(device_, view, 0, plan_.mask_bytes() / sizeof(uint32_t));
}

shaders::NormMask SliceBinder::mask_bits(const AlignedView& relu_mask) const {
    return {.first = relu_mask.first, .pitch = narrow(plan_.mask_words())};
}

AlignedView SliceBinder::valid(const BufferView& view) const {
    const uint64_t first = slice_.first_value(plan_.extent);
    AlignedView part = bind_elements(device_, view, first, slice_.values_per_channel());
    part.first -= narrow(first);  // kernels count from the first value of all, modulo 2^32
    return part;
}

AlignedView SliceBinder::partials(const BufferView& view) const {
    return bind_elements(device_, view, slice_.first_channel(plan_.extent) * plan_.partials,
                         slice_.channel_range(plan_.extent) * plan_.partials, partial_bytes);
}

shaders::NormStrands SliceBinder::strands(const AlignedView& partials) const {
    const Extent& extent = plan_.extent;
    const bool split = plan_.across && !extent.adjacent_channels();
    const uint32_t of_a_row = slice_.strands.of_a_row;
    return {.first = partials.first + slice_.partial,
            .pitch = plan_.partials,
            .sample_pitch = narrow(extent.samples > 1 ? extent.channels * plan_.partials : 0),
            .z_pitch = split || (!plan_.across && extent.images == 1) ? 0 : of_a_row,
            .position_pitch = split ? of_a_row : 0};
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
             .sample_sets = narrow(plan_.extent.samples > 1 ? sample_sets : 0),
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
