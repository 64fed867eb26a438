#include "vknorm/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/arguments.hpp"
#include "ops/sizes.hpp"
#include "ops/texels.hpp"
#include "shaders/nn.h"
#include "vulkan/dispatch.hpp"

namespace vknorm {

using namespace detail;

static_assert(sizeof(StepVerdict) == sizeof(shaders::StepVerdict));

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
    if (sgd.nesterov) require(sgd.momentum > 0, "momentum", sgd.momentum, "more than 0 with nesterov");
}

/// Of Adam and AdamW.
template <class AnyAdam>
void check_kind(const AnyAdam& adam) {
    check_common(adam.learning_rate, adam.weight_decay);
    require(adam.beta1 >= 0 && adam.beta1 < 1, "beta1", adam.beta1, "0 to less than 1");
    require(adam.beta2 >= 0 && adam.beta2 < 1, "beta2", adam.beta2, "0 to less than 1");
    // A parameter that has never had a gradient divides by epsilon alone.
    require(adam.epsilon >= std::numeric_limits<float>::min() && std::isfinite(adam.epsilon), "epsilon",
            adam.epsilon, "a finite number above 0");
}

/// What a kind of optimizer is to the device: its kernel, the same for tensors read as texels, how many
/// moments they read and write, and the numbers of its step.
struct Rule {
    const shaders::Shader &shader, &shader_of_texels;
    uint32_t moments;
    shaders::Optimizer numbers;
    bool variant = false;  ///< the kernel's last specialization constant
};

Rule rule(const Sgd& sgd, uint64_t) {
    const shaders::Optimizer numbers{
        .rate = sgd.learning_rate, .weight_decay = sgd.weight_decay, .beta1 = sgd.momentum};
    // Without momentum, the velocity is neither needed nor kept, as in PyTorch.
    if (sgd.momentum == 0) return {shaders::optimizer_sgd, shaders::optimizer_sgd_texels, 0, numbers};
    return {shaders::optimizer_sgd_momentum, shaders::optimizer_sgd_momentum_texels, 1, numbers,
            sgd.nesterov};
}

/// Of Adam and AdamW.
template <class AnyAdam>
Rule rule(const AnyAdam& adam, uint64_t step) {
    constexpr bool decoupled = std::is_same_v<AnyAdam, AdamW>;
    const auto t = static_cast<double>(step);
    return {shaders::optimizer_adam,
            shaders::optimizer_adam_texels,
            2,
            {.rate = static_cast<float>(adam.learning_rate / (1 - std::pow(double{adam.beta1}, t))),
             .weight_decay = decoupled ? adam.learning_rate * adam.weight_decay : adam.weight_decay,
             .beta1 = adam.beta1,
             .beta2 = adam.beta2,
             .correction2 = static_cast<float>(1 / std::sqrt(1 - std::pow(double{adam.beta2}, t))),
             .epsilon = adam.epsilon},
            decoupled};
}

Rule rule_of(const Optimizer& optimizer, uint64_t step) {
    return std::visit([step](const auto& kind) { return rule(kind, step); }, optimizer);
}

}  // namespace

void check_optimizer(const Optimizer& optimizer) {
    std::visit([](const auto& kind) { check_kind(kind); }, optimizer);
}

uint32_t moment_count(const Optimizer& optimizer) {
    return rule_of(optimizer, 1).moments;
}

void optimizer_step(Recorder& recorder, const Optimizer& optimizer, uint64_t step,
                    const OptimizerStep& arguments) {
    constexpr VkDeviceSize vector_bytes = 4 * sizeof(float);
    check_optimizer(optimizer);
    Arguments check("optimizer_step", recorder);
    if (step == 0) check.refuse("step", "0", "a number from 1 on");
    const VkDeviceSize bytes = arguments.parameters.bytes, words = arguments.working.bytes;
    if (bytes == 0 || bytes % vector_bytes != 0)
        check.refuse("parameters", std::to_string(bytes) + " bytes",
                     "whole vectors of four numbers: a multiple of " + std::to_string(vector_bytes));
    if (words % sizeof(uint32_t) != 0)
        check.refuse("working", std::to_string(words) + " bytes", "a multiple of 4");
    if (bool(arguments.working) != bool(arguments.committed))
        check.refuse("committed", arguments.committed ? "a buffer" : "no buffer",
                     "one together with working");
    const Capabilities& capabilities = recorder.device().capabilities();
    require_range(capabilities, "optimizer_step: parameters", bytes);
    require_range(capabilities, "optimizer_step: working", words);

    // Moments that the kind does not have take no part, or barriers would wait for them.
    Rule rule = rule_of(optimizer, step);
    check.offsets(binding_alignment);
    const BufferView parameters = check.output("parameters", arguments.parameters, bytes);
    const BufferView gradient = check.input("gradient", arguments.gradient, bytes);
    const BufferView first_moment =
        check.output("first_moment", arguments.first_moment, rule.moments > 0 ? bytes : 0);
    const BufferView second_moment =
        check.output("second_moment", arguments.second_moment, rule.moments > 1 ? bytes : 0);
    const BufferView working = check.optional_output("working", arguments.working, words);
    const BufferView committed = check.optional_output("committed", arguments.committed, words);
    check.offsets(sizeof(uint32_t));
    const AlignedView verdict =
        align_down(recorder.device(), check.optional_input("verdict", arguments.verdict, sizeof(StepVerdict)),
                   sizeof(uint32_t));
    check.check_overlap();

    shaders::Optimizer& push = rule.numbers;
    push.vectors = static_cast<uint32_t>(bytes / vector_bytes);
    push.running_words = static_cast<uint32_t>(words / sizeof(uint32_t));
    push.verdict = verdict.first;
    const uint32_t workgroup = std::min(256u, capabilities.max_workgroup_invocations);
    const uint32_t constants[] = {workgroup, bool(verdict.view), rule.variant};
    const bool texels = reads_texels(recorder, {parameters, gradient, first_moment, second_moment});
    std::vector<Binding> bindings{read_write(parameters),    read(gradient),     read_write(first_moment),
                                  read_write(second_moment), read(verdict.view), read_write(working),
                                  read_write(committed)};
    if (texels) bindings.insert(bindings.end(), {read(parameters), read(first_moment), read(second_moment)});
    while (push.first < push.vectors) {
        const uint32_t groups =
            std::min(ceil_div(push.vectors - push.first, workgroup), capabilities.max_workgroups);
        dispatch(recorder, {texels ? rule.shader_of_texels : rule.shader, constants}, bindings, push,
                 {groups});
        push.first += groups * workgroup;
    }
}

}  // namespace vknorm
