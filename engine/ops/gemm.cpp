#include "ops/gemm.hpp"

#include <algorithm>

#include "ops/sizes.hpp"
#include "shaders/nn.h"
#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

namespace {

constexpr uint32_t lane_columns = 4;  // that a lane of any kernel computes

// Subgroups as narrow as CPU drivers have: lanes load for each other.
bool narrow(uint32_t subgroup) {
    return subgroup >= 8 && subgroup <= 16;
}

bool whole_vectors(const GemmShape& shape) {
    const uint32_t a_adjacent = shape.a_transposed ? shape.rows : shape.inner;
    const uint32_t b_adjacent = shape.b_transposed ? shape.inner : shape.columns;
    return a_adjacent % 4 == 0 && b_adjacent % 4 == 0 && shape.columns % 4 == 0;
}

}  // namespace

Gemm::Gemm(const Capabilities& capabilities, const GemmShape& shape)
    : shape_(shape),
      texels_(capabilities.texel_blocks && narrow(capabilities.subgroup_size) && whole_vectors(shape)),
      subgroup_(capabilities.subgroup_size),
      most_workgroups_(capabilities.max_workgroups) {
    // One subgroup a workgroup where it is known: CPU drivers run subgroups one after the other anyway.
    workgroup_ = subgroup_ == 0 ? 32 : std::clamp(subgroup_, 4u, 64u);
    workgroup_ = std::min(workgroup_, capabilities.max_workgroup_invocations);
}

Gemm::Tiling Gemm::tiling(bool sums) const {
    const bool transposed = shape_.a_transposed;
    if (subgroup_ == 4)
        return {transposed ? &shaders::gemm_lanes4_transposed : &shaders::gemm_lanes4, 16, shape_.columns};
    if (narrow(subgroup_))
        return {transposed ? &shaders::gemm_lanes8_transposed : &shaders::gemm_lanes8, 16, shape_.columns};
    return {&shaders::gemm, 8, shape_.columns + (sums ? 1 : 0)};
}

void Gemm::multiply(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& bias,
                    const BufferView& c) const {
    const DeviceState& device = recorder.device().state();
    const bool adds = bias && shape_.bias == GemmBias::add, sums = bias && shape_.bias == GemmBias::sum_a;
    const bool texels = texels_ && may_be_texels(device, a) && may_be_texels(device, b);
    const Tiling tiling = texels ? Tiling{&shaders::gemm_texels, 16, shape_.columns} : this->tiling(sums);
    const uint32_t constants[] = {workgroup_, shape_.a_transposed, shape_.b_transposed, adds, sums};
    const Binding bound_bias = sums ? write(bias) : read(bias);
    const uint32_t tiles_across = ceil_div(tiling.columns, lane_columns * workgroup_);
    const uint32_t tiles = tiles_across * ceil_div(shape_.rows, tiling.rows);
    for (uint32_t first = 0; first < tiles; first += std::min(tiles - first, most_workgroups_)) {
        const shaders::Gemm push{.rows = shape_.rows,
                                 .columns = shape_.columns,
                                 .inner = shape_.inner,
                                 .tiles_across = tiles_across,
                                 .first_tile = first};
        dispatch(recorder, {*tiling.shader, constants}, {read(a), read(b), bound_bias, write(c)}, push,
                 {std::min(tiles - first, most_workgroups_)});
    }
}

}  // namespace vknorm::detail
