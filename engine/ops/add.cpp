#include "ops/add.hpp"

#include "ops/grid.hpp"
#include "shaders/nn.h"

namespace vknorm::detail {

void add(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& y) {
    const auto elements = static_cast<uint32_t>(y.bytes / sizeof(float));
    const Grid grid = strided_grid(recorder.device().capabilities(), ceil_div(elements, 4u));
    const uint32_t constants[] = {grid.workgroup};
    dispatch(recorder, {shaders::add, constants}, {read(a), read(b), write(y)},
             shaders::Add{.elements = elements}, grid.groups);
}

}  // namespace vknorm::detail
