#include "vknorm/dropout.hpp"

#include <cmath>

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "ops/halves.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

Dropout::Dropout(Device& device, const DropoutOptions& options)
    : device_("Dropout", device.state().shared_from_this()), options_(options) {
    if (!(options.p >= 0 && options.p < 1))
        refuse("dropout", "p", std::to_string(options.p), "at least 0 and below 1");
    require_positive("dropout", "rows", options.rows);
    require_positive("dropout", "units", options.units);
    require_range(device.capabilities(), "dropout: x", bytes());
}

void Dropout::forward(Recorder& recorder, const Forward& arguments) const {
    Arguments check("dropout.forward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView x = check.input("x", arguments.x, bytes());
    const BufferView y = check.output("y", arguments.y, bytes(), {"x"});
    check.check_overlap();
    record(recorder, x, y, arguments.mask);
}

void Dropout::backward(Recorder& recorder, const Backward& arguments) const {
    Arguments check("dropout.backward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView dy = check.input("dy", arguments.dy, bytes());
    const BufferView dx = check.output("dx", arguments.dx, bytes(), {"dy"});
    check.check_overlap();
    record(recorder, dy, dx, arguments.mask);
}

void Dropout::record(Recorder& recorder, const BufferView& from, const BufferView& to,
                     const DropoutMask& mask) const {
    const uint32_t elements = options_.rows * options_.units;
    const Grid grid = strided_grid(device_->capabilities, ceil_div(elements, 4u));
    const uint32_t constants[] = {grid.workgroup};
    const double p = double{options_.p};
    dispatch(recorder, {shaders::dropout, constants}, {read(from), write(to)},
             shaders::Dropout{.elements = elements,
                              .threshold = static_cast<uint32_t>(std::round(std::ldexp(p, 32))),
                              .scale = static_cast<float>(1 / (1 - p)),
                              .seed_low = low_half(mask.seed),
                              .seed_high = high_half(mask.seed),
                              .step_low = low_half(mask.step),
                              .step_high = high_half(mask.step),
                              .layer = mask.layer},
             grid.groups);
}

}  // namespace vknorm
