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

// As optimizer.comp numbers them. Without momentum, the velocity is neither needed nor kept, as in PyTorch.
enum Kind : uint32_t { kind_sgd = 0, kind_sgd_momentum = 1, kind_adam = 2 };

Kind kind_of(const Optimizer& optimizer) {
    const Sgd* const sgd = std::get_if<Sgd>(&optimizer);
    if (sgd == nullptr) return kind_adam;
    return sgd->momentum == 0 ? kind_sgd : kind_sgd_momentum;
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
    const Kind kind = kind_of(optimizer);
    const Launch launch =
        spread(recorder.device().capabilities(), std::max(push.vectors, push.running_words));
    const uint32_t constants[] = {launch.workgroup, kind};
    // Moments that the kind does not have take no part, or barriers would wait for them.
    const BufferView first_moment = kind == kind_sgd ? BufferView{} : arguments.first_moment;
    const BufferView second_moment = kind == kind_adam ? arguments.second_moment : BufferView{};
    dispatch(recorder, {shaders::optimizer, constants},
             {read_write(arguments.parameters), read(arguments.gradient), read_write(first_moment),
              read_write(second_moment), read(arguments.health), read_write(arguments.working),
              read_write(arguments.committed)},
             push, launch.groups);
}

}  // namespace vknorm::detail
