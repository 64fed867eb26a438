#include "ops/activation.hpp"

#include "ops/launch.hpp"

namespace vknorm::detail {

namespace {

// As nn/activation.glsl numbers them.
uint32_t number(Activation function) {
    switch (function) {
        case Activation::identity:
            return 0;
        case Activation::relu:
            return 1;
        case Activation::tanh:
            return 2;
        case Activation::sigmoid:
            return 3;
    }
    return 0;
}

Launch launch(const Recorder& recorder, uint32_t elements) {
    return spread(recorder.device().capabilities(), ceil_div(elements, 4u));
}

}  // namespace

void activation_forward(Recorder& recorder, Activation function, uint32_t rows, uint32_t units,
                        const BufferView& x, const BufferView& y, const HealthWord& word) {
    const Launch shape = launch(recorder, rows * units);
    const uint32_t constants[] = {shape.workgroup, number(function), bool(word.health)};
    dispatch(recorder, {shaders::activation_forward, constants}, {read(x), write(y), read_write(word.health)},
             shaders::Activation{.elements = rows * units, .units = units, .layer = word.layer},
             shape.groups);
}

void activation_backward(Recorder& recorder, Activation function, uint32_t rows, uint32_t units,
                         const BufferView& y, const BufferView& d) {
    if (function == Activation::identity) return;
    const Launch shape = launch(recorder, rows * units);
    const uint32_t constants[] = {shape.workgroup, number(function)};
    dispatch(recorder, {shaders::activation_backward, constants}, {read(y), read_write(d)},
             shaders::Activation{.elements = rows * units, .units = units, .layer = 0}, shape.groups);
}

}  // namespace vknorm::detail
