#include "ops/gemm.hpp"

#include <algorithm>

#include "ops/arguments.hpp"
#include "ops/launch.hpp"
#include "shaders/network.h"

namespace vknorm::detail {

namespace {

constexpr uint32_t tile_rows = 8, tile_columns = 4;  // of one invocation
// Trips of the loops that store a tile.
constexpr uint32_t store_trips = 48;

/// Whether lanes should load for each other: subgroups as narrow as CPU drivers have, and whole vectors.
bool lanes_share(const Capabilities& capabilities, const GemmShape& shape) {
    const uint32_t a_adjacent = shape.a_transposed ? shape.rows : shape.inner;
    const uint32_t b_adjacent = shape.b_transposed ? shape.inner : shape.columns;
    return capabilities.subgroup_size >= 8 && capabilities.subgroup_size <= 16 && a_adjacent % 4 == 0 &&
           b_adjacent % 4 == 0;
}

}  // namespace

Gemm::Gemm(const Capabilities& capabilities, const GemmShape& shape, const std::string& what)
    : shape_(shape),
      shared_(lanes_share(capabilities, shape)),
      most_workgroups_(capabilities.max_workgroups) {
    const auto matrix = [&](const char* name, uint64_t rows, uint64_t columns) {
        require_range(capabilities, what + ": " + name, 4 * rows * columns);
    };
    matrix("a", shape.rows, shape.inner);
    matrix("b", shape.inner, shape.columns);
    matrix("c", shape.rows, shape.columns);
    if (shape.inner > maximum_trips - store_trips)
        refuse(what, "terms of a sum", std::to_string(shape.inner),
               "at most " + std::to_string(maximum_trips - store_trips));

    // One subgroup a workgroup where it is known: CPU drivers run subgroups one after the other anyway.
    workgroup_ = capabilities.subgroup_size == 0 ? 32 : std::clamp(capabilities.subgroup_size, 4u, 64u);
    workgroup_ = std::min(workgroup_, capabilities.max_workgroup_invocations);
    const uint32_t columns = shape.columns + (shape.bias == GemmBias::sum_a ? 1 : 0);
    tiles_across_ = ceil_div(columns, tile_columns * workgroup_);
    tiles_ = tiles_across_ * ceil_div(shape.rows, tile_rows);
    tiles_a_dispatch_ = static_cast<uint32_t>(std::min<uint64_t>(
        tiles_, uint64_t{capabilities.max_workgroups} * (maximum_trips / (shape.inner + store_trips))));
}

void Gemm::record(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& bias,
                  const BufferView& c) const {
    const uint32_t constants[] = {workgroup_, shape_.a_transposed, shape_.b_transposed,
                                  shape_.bias == GemmBias::add, shape_.bias == GemmBias::sum_a};
    const Kernel kernel{shared_ ? shaders::gemm_shared : shaders::gemm, constants};
    const Binding bound_bias = shape_.bias == GemmBias::sum_a ? write(bias) : read(bias);
    for (uint32_t first = 0; first < tiles_; first += tiles_a_dispatch_) {
        const shaders::Gemm push{.rows = shape_.rows,
                                 .columns = shape_.columns,
                                 .inner = shape_.inner,
                                 .tiles_across = tiles_across_,
                                 .first_tile = first,
                                 .last_tile = std::min(first + tiles_a_dispatch_, tiles_)};
        dispatch(recorder, kernel, {read(a), read(b), bound_bias, write(c)}, push,
                 {std::min(push.last_tile - first, most_workgroups_)});
    }
}

}  // namespace vknorm::detail
