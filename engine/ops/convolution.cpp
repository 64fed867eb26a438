#include "ops/convolution.hpp"

#include <algorithm>

#include "ops/grid.hpp"
#include "ops/sizes.hpp"
#include "ops/texels.hpp"
#include "shaders/nn.h"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

uint32_t ConvolutionShape::parts() const {
    return runs() == 0 ? 1 : ceil_div(runs(), part_runs);  // sums of no terms are zeros
}

Convolution::Convolution(const Capabilities& capabilities, const ConvolutionShape& shape)
    : shape_(shape),
      tiling_(capabilities,
              {shaders::convolution, shaders::convolution_lanes4, shaders::convolution_lanes8,
               shaders::convolution_texels},
              shape.rows),
      most_workgroups_(capabilities.max_workgroups) {}

void Convolution::multiply(Recorder& recorder, const BufferView& a, const BufferView& b,
                           const BufferView& bias, const BufferView& c) const {
    const DeviceState& device = recorder.device().state();
    const bool adds = bias && shape_.bias == GemmBias::add, sums = bias && shape_.bias == GemmBias::sum_a;
    const bool texels = tiling_.texels && may_be_texels(device, a) && may_be_texels(device, b);
    const auto& [shader, tile_rows] = tiling_.kernel(texels);
    const uint32_t constants[] = {
        tiling_.workgroup, shape_.lines_are_terms, !shape_.lines_are_terms, adds, sums, shape_.whole_vectors,
        tile_rows};
    const auto& [x, y, z] = shape_.columns;
    const auto& [term_x, term_y, term_z] = shape_.terms;
    shaders::Convolution push{.rows = shape_.rows,
                              .columns = shape_.column_count(),
                              .tiles_across = ceil_div(shape_.column_count(), tiling_.columns),
                              .first_tile = 0,
                              .columns_y = y.count,
                              .columns_z = z.count,
                              .stored_z = shape_.stored,
                              .terms_y = term_y.count,
                              .terms_z = term_z.count,
                              .runs = shape_.runs(),
                              .part_runs = shape_.part_runs,
                              .a_first = shape_.a_first,
                              .a_row = shape_.a_row,
                              .a_x = term_x.a,
                              .a_y = term_y.a,
                              .a_z = term_z.a,
                              .b_first = shape_.b_first,
                              .b_column_x = x.b,
                              .b_column_y = y.b,
                              .b_column_z = z.b,
                              .b_x = term_x.b,
                              .b_y = term_y.b,
                              .b_z = term_z.b,
                              .c_first = shape_.c_first,
                              .c_row = shape_.c_row,
                              .c_column_x = x.c,
                              .c_column_y = y.c,
                              .c_column_z = z.c,
                              .c_part = shape_.c_part};
    const uint32_t tiles = push.tiles_across * ceil_div(shape_.rows, tile_rows);
    const Binding bound_bias = sums ? write(bias) : read(bias);
    for (; push.first_tile < tiles; push.first_tile += std::min(tiles - push.first_tile, most_workgroups_)) {
        dispatch(recorder, {*shader, constants}, {read(a), read(b), bound_bias, write(c)}, push,
                 {std::min(tiles - push.first_tile, most_workgroups_), shape_.parts()});
    }
}

uint32_t PaddedShape::pitch() const {
    // Positions a large power of two apart would have the same few places in a cache.
    constexpr uint32_t crowded = 256;
    const uint32_t whole = round_up(channels, 4u);
    return whole % crowded == 0 ? whole + 4 : whole;
}

void channels_last(Recorder& recorder, const PaddedShape& shape, const BufferView& tensor,
                   const BufferView& copy) {
    const uint32_t plane = shape.height * shape.width;
    const shaders::ChannelsLast push{
        .images = shape.images,
        .padded_height = shape.padded_height,
        .padded_width = shape.padded_width,
        .padding = shape.padding,
        .height = shape.height,
        .width = shape.width,
        .kept_height = std::min(shape.height, shape.padded_height - shape.padding),
        .kept_width = std::min(shape.width, shape.padded_width - shape.padding),
        .channels = shape.channels,
        .vectors = shape.pitch() / 4,
        .image_step = shape.images_inside ? plane : plane * shape.channels,
        .channel_step = shape.images_inside ? plane * shape.images : plane,
    };
    const bool whole_vectors = plane % 4 == 0, texels = whole_vectors && reads_texels(recorder, {tensor});
    constexpr uint32_t few = 16;  // positions, whose last four would be a large part
    const uint32_t at_once = whole_vectors || plane >= few ? 4 : 1;
    const Grid grid =
        strided_grid(recorder.device().capabilities(), uint64_t{shape.images} * ceil_div(plane, at_once));
    const uint32_t constants[] = {grid.workgroup, whole_vectors, at_once};
    std::vector<Binding> bindings = {read(tensor), write(copy)};
    if (texels) bindings.push_back(read(tensor));
    dispatch(recorder, {texels ? shaders::channels_last_texels : shaders::channels_last, constants}, bindings,
             push, grid.groups);
}

void sum_parts(Recorder& recorder, const BufferView& parts, const BufferView& sum) {
    const shaders::SumParts push{.elements = static_cast<uint32_t>(sum.bytes / sizeof(float)),
                                 .parts = static_cast<uint32_t>(parts.bytes / sum.bytes)};
    const Grid grid = strided_grid(recorder.device().capabilities(), push.elements);
    const uint32_t constants[] = {grid.workgroup};
    dispatch(recorder, {shaders::sum_parts, constants}, {read(parts), write(sum)}, push, grid.groups);
}

}  // namespace vknorm::detail
