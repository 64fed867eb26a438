#include "ops/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/arguments.hpp"
#include "ops/launch.hpp"
#include "shaders/network.h"

namespace vknorm::detail {

namespace {

void require(bool good, const char* name, float got, const char* needed) {
    if (!good) refuse("optimizer", name, std::to_string(got), needed);
}

void check_common(float learning_rate, float weight_decay) {
    require(learning_rate >= 0 && std::isfinite(learning_rate), "learning_rate", learning_rate,
            "a finite number from 0 on");
    require(weight_decay >= 0 && std::isfinite(weight_decay), "weight_decay", weight_decay,
            "a finite number from 0 on");
}

void check_kind(const Sgd& sgd) {
    check_common(sgd.learning_rate, sgd.weight_decay);
    require(sgd.momentum >= 0 && sgd.momentum < 1, "momentum", sgd.momentum, "0 to less than 1");
}

void check_kind(const Adam& adam) {
    check_common(adam.learning_rate, adam.weight_decay);
    require(adam.beta1 >= 0 && adam.beta1 < 1, "beta1", adam.beta1, "0 to less than 1");
    require(adam.beta2 >= 0 && adam.beta2 < 1, "beta2", adam.beta2, "0 to less than 1");
    // A parameter that has never had a gradient divides by epsilon alone.
    require(adam.epsilon >= std::numeric_limits<float>::min() && std::isfinite(adam.epsilon), "epsilon",
            adam.epsilon, "a finite number above 0");
}

shaders::Optimizer numbers(const Sgd& sgd, uint64_t) {
    return {.rate = sgd.learning_rate, .weight_decay = sgd.weight_decay, .beta1 = sgd.momentum};
}

shaders::Optimizer numbers(const Adam& adam, uint64_t step) {
    const auto t = static_cast<double>(step);
    return {.rate = static_cast<float>(adam.learning_rate / (1 - std::pow(double{adam.beta1}, t))),
            .weight_decay = adam.weight_decay,
            .beta1 = adam.beta1,
            .beta2 = adam.beta2,
            .correction2 = static_cast<float>(1 / std::sqrt(1 - std::pow(double{adam.beta2}, t))),
            .epsilon = adam.epsilon};
}

// Without momentum, the velocity is neither needed nor kept, as in PyTorch.
const shaders::Shader& shader_of(const Optimizer& optimizer) {
    const Sgd* const sgd = std::get_if<Sgd>(&optimizer);
    if (sgd == nullptr) return shaders::optimizer_adam;
    return sgd->momentum == 0 ? shaders::optimizer_sgd : shaders::optimizer_sgd_momentum;
}

}  // namespace

void check(const Optimizer& optimizer) {
    std::visit([](const auto& kind) { check_kind(kind); }, optimizer);
}

void optimizer_step(Recorder& recorder, const Optimizer& optimizer, uint64_t step,
                    const OptimizerStep& arguments) {
    shaders::Optimizer push = std::visit([&](const auto& kind) { return numbers(kind, step); }, optimizer);
    push.vectors = static_cast<uint32_t>(arguments.parameters.bytes / 16);
    push.running_words = static_cast<uint32_t>(arguments.working.bytes / 4);
    const shaders::Shader& shader = shader_of(optimizer);
    // Moments that the kind does not have take no part, or barriers would wait for them.
    const bool adam = &shader == &shaders::optimizer_adam, plain = &shader == &shaders::optimizer_sgd;
    const BufferView first_moment = plain ? BufferView{} : arguments.first_moment;
    const BufferView second_moment = adam ? arguments.second_moment : BufferView{};
    const Capabilities& capabilities = recorder.device().capabilities();
    const uint32_t workgroup = std::min(256u, capabilities.max_workgroup_invocations);
    const uint32_t items = std::max(push.vectors, push.running_words);
    while (push.first < items) {
        const uint32_t groups =
            std::min(ceil_div(items - push.first, workgroup), capabilities.max_workgroups);
        dispatch(recorder, {shader, std::span(&workgroup, 1)},
                 {read_write(arguments.parameters), read(arguments.gradient), read_write(first_moment),
                  read_write(second_moment), read(arguments.health), read_write(arguments.working),
                  read_write(arguments.committed)},
                 push, {groups});
        push.first += groups * workgroup;
    }
}

}  // namespace vknorm::detail
