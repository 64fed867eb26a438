#include "vknorm/activation.hpp"

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

namespace {

uint32_t number(Activation function) {
    switch (function) {
        case Activation::identity:
            return shaders::activation_identity;
        case Activation::relu:
            return shaders::activation_relu;
        case Activation::tanh:
            return shaders::activation_tanh;
        case Activation::sigmoid:
            return shaders::activation_sigmoid;
    }
    return shaders::activation_identity;
}

Grid grid_of(const DeviceState& device, uint32_t elements) {
    return strided_grid(device.capabilities, ceil_div(elements, 4u));
}

}  // namespace

ActivationFunction::ActivationFunction(Device& device, const ActivationOptions& options)
    : device_("ActivationFunction", device.state().shared_from_this()), options_(options) {
    require_value("activation", "function", options.function, Activation::sigmoid);
    require_positive("activation", "rows", options.rows);
    require_positive("activation", "units", options.units);
    require_range(device.capabilities(), "activation: x", bytes());
}

void ActivationFunction::forward(Recorder& recorder, const Forward& arguments) const {
    Arguments check("activation.forward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView x = check.input("x", arguments.x, bytes());
    const BufferView y = check.output("y", arguments.y, bytes(), {"x"});
    check.offsets(sizeof(uint32_t));
    const AlignedView word =
        align_down(recorder.device(),
                   check.optional_output("first_non_finite", arguments.first_non_finite, sizeof(uint32_t)),
                   sizeof(uint32_t));
    check.check_overlap();

    const uint32_t elements = options_.rows * options_.units;
    const Grid grid = grid_of(*device_, elements);
    const uint32_t constants[] = {grid.workgroup, number(options_.function), bool(word.view)};
    dispatch(recorder, {shaders::activation_forward, constants}, {read(x), write(y), read_write(word.view)},
             shaders::Activation{.elements = elements, .units = options_.units, .word = word.first},
             grid.groups);
}

void ActivationFunction::backward(Recorder& recorder, const Backward& arguments) const {
    Arguments check("activation.backward", recorder, &*device_);
    check.offsets(binding_alignment);
    const BufferView y = check.input("y", arguments.y, bytes());
    const BufferView dy = check.input("dy", arguments.dy, bytes());
    const BufferView dx = check.output("dx", arguments.dx, bytes(), {"dy"});
    check.check_overlap();
    const bool in_place = dx.buffer == dy.buffer && dx.offset == dy.offset;
    if (options_.function == Activation::identity && in_place) return;

    const uint32_t elements = options_.rows * options_.units;
    const Grid grid = grid_of(*device_, elements);
    const uint32_t constants[] = {grid.workgroup, number(options_.function)};
    dispatch(recorder, {shaders::activation_backward, constants}, {read(y), read(dy), write(dx)},
             shaders::Activation{.elements = elements, .units = options_.units, .word = 0}, grid.groups);
}

}  // namespace vknorm
