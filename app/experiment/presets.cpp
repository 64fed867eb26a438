#include "app/experiment/presets.hpp"

#include <array>

namespace lab {

namespace {

Settings covariate_shift() {
    // Ioffe & Szegedy 2015, figure 1: three layers of 100 sigmoid units, batches of 60.
    Settings s;
    s.data = Data::digits;
    s.hidden.assign(3, 100);
    for (TwinSettings& twin : s.twins) twin.activation = vknorm::Activation::sigmoid;
    s.batch = 60;
    s.learning_rate = 0.1f;
    s.inspected_layer = 2;
    return s;
}

Settings digits() {
    Settings s;
    s.data = Data::digits;
    s.hidden.assign(2, 64);
    s.learning_rate = 0.1f;
    return s;
}

Settings deep_spiral() {
    Settings s;
    s.hidden.assign(10, 32);
    s.inspected_layer = 8;
    return s;
}

Settings batches_of_two() {
    // Wu & He 2018, figure 1, at its left end; the learning rate goes with the batch.
    Settings s;
    s.data = Data::digits;
    s.hidden.assign(3, 64);
    s.twins[1].norm = vknorm::Norm::group;
    s.batch = 2;
    s.learning_rate = 0.01f;
    return s;
}

Settings resnet8() {
    // K. He et al. 2016, section 4.2, of depth 8.
    Settings s;
    s.data = Data::digits;
    s.model = Model::resnet8;
    s.batch = 64;
    s.optimizer = OptimizerKind::adam;
    s.learning_rate = 0.002f;
    s.schedule = Schedule::cosine;
    s.schedule_steps = 400;
    return s;
}

Settings classifier_of_shapes() {
    Settings s = resnet8();
    s.data = Data::shapes;
    s.model = Model::classifier_small;
    s.schedule_steps = 600;
    return s;
}

}  // namespace

std::span<const Preset> presets() {
    static const std::array<Preset, 7> all = {{
        {"Spiral, 4 x 48", Settings{}},
        {"Covariate shift (digits, 3 x 100 sigmoid)", covariate_shift()},
        {"Digits, 2 x 64", digits()},
        {"Depth (spiral, 10 x 32)", deep_spiral()},
        {"Batches of 2 (digits, BatchNorm and GroupNorm)", batches_of_two()},
        {"ResNet-8 (digits, or MNIST in a file)", resnet8()},
        {"Shapes (classifier with and without BatchNorm)", classifier_of_shapes()},
    }};
    return all;
}

}  // namespace lab
