#include "ops/gemm.hpp"

#include <algorithm>

#include "ops/sizes.hpp"
#include "shaders/nn.h"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

// Of gemm.comp.
constexpr uint32_t tile_lanes = 128, tile_rows = 32, tile_columns = 64;
// Of a lane of the CPU's kernels.
constexpr uint32_t lane_rows = 16, lane_columns = 4;

bool whole_vectors(const GemmShape& shape) {
    const uint32_t a_adjacent = shape.a_transposed ? shape.rows : shape.inner;
    const uint32_t b_adjacent = shape.b_transposed ? shape.inner : shape.columns;
    return a_adjacent % 4 == 0 && b_adjacent % 4 == 0 && shape.columns % 4 == 0;
}

/// Twice as many rows load half as much of b for each, where they are not too many more than there are: they
/// take 7/4 of the time.
uint32_t texel_rows(uint32_t rows_of_c) {
    const bool twice = 7 * ceil_div(rows_of_c, 2 * lane_rows) < 4 * ceil_div(rows_of_c, lane_rows);
    return twice ? 2 * lane_rows : lane_rows;
}

}  // namespace

GemmTiling::GemmTiling(const Capabilities& capabilities, const GemmShaders& shaders, uint32_t rows_of_c)
    : buffers{&shaders.any, tile_rows}, workgroup(tile_lanes), columns(tile_columns) {
    // On a CPU, where every load costs and barriers do, the lanes of a subgroup load for each other, and
    // subgroups run one after the other anyway: one is a workgroup.
    const uint32_t subgroup = capabilities.subgroup_size;
    if (!capabilities.cpu || subgroup < 4 || subgroup > 16) return;
    buffers = {subgroup < 8 ? &shaders.lanes4 : &shaders.lanes8, lane_rows};
    if (subgroup >= 8 && capabilities.texel_blocks) texels = {&shaders.texels, texel_rows(rows_of_c)};
    workgroup = subgroup;
    columns = lane_columns * subgroup;
}

Gemm::Gemm(const Capabilities& capabilities, const GemmShape& shape)
    : shape_(shape),
      vectors_(whole_vectors(shape)),
      tiling_(capabilities, {shaders::gemm, shaders::gemm_lanes4, shaders::gemm_lanes8, shaders::gemm_texels},
              shape.rows),
      most_workgroups_(capabilities.max_workgroups) {}

void Gemm::multiply(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& bias,
                    const BufferView& c) const {
    const DeviceState& device = recorder.device().state();
    const bool adds = bias && shape_.bias == GemmBias::add, sums = bias && shape_.bias == GemmBias::sum_a;
    const bool texels = tiling_.texels && vectors_ && may_be_texels(device, a) && may_be_texels(device, b);
    const auto& [shader, rows] = tiling_.kernel(texels);
    const uint32_t constants[] = {
        tiling_.workgroup, shape_.a_transposed, shape_.b_transposed, adds, sums, vectors_, rows};
    const Binding bound_bias = sums ? write(bias) : read(bias);
    const uint32_t tiles_across = ceil_div(shape_.columns, tiling_.columns);
    const uint32_t tiles = tiles_across * ceil_div(shape_.rows, rows);
    for (uint32_t first = 0; first < tiles; first += std::min(tiles - first, most_workgroups_)) {
        const shaders::Gemm push{.rows = shape_.rows,
                                 .columns = shape_.columns,
                                 .inner = shape_.inner,
                                 .tiles_across = tiles_across,
                                 .first_tile = first};
        dispatch(recorder, {*shader, constants}, {read(a), read(b), bound_bias, write(c)}, push,
                 {std::min(tiles - first, most_workgroups_)});
    }
}

}  // namespace vknorm::detail
