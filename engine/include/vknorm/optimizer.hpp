// Optimizers: how parameters follow their gradient.
#pragma once

#include <cstdint>
#include <variant>

#include <vknorm/stream.hpp>

namespace vknorm {

/// SGD with momentum as torch.optim.SGD: d = g + weight_decay * p; v = momentum * v + d; p -= learning_rate *
/// v, with Nesterov's momentum p -= learning_rate * (d + momentum * v). The velocity v is the first moment;
/// without momentum there is none.
struct Sgd {
    float learning_rate = 0.1f;  ///< at least 0
    float momentum = 0;          ///< 0 to less than 1
    float weight_decay = 0;      ///< at least 0
    bool nesterov = false;       ///< only with a momentum above 0
};

/// Adam as torch.optim.Adam: Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1,
/// with weight decay added to the gradient (L2). d = g + weight_decay * p; m = beta1 * m + (1 - beta1) * d; v
/// = beta2 * v + (1 - beta2) * d^2; p -= learning_rate * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step))
/// + epsilon). m and v are the moments.
struct Adam {
    float learning_rate = 1e-3f;         ///< at least 0
    float beta1 = 0.9f, beta2 = 0.999f;  ///< of the first and second moment, 0 to less than 1
    float epsilon = 1e-8f;               ///< above 0
    float weight_decay = 0;              ///< at least 0
};

/// Adam with decoupled weight decay as torch.optim.AdamW: Loshchilov & Hutter, "Decoupled Weight Decay
/// Regularization", 2019, algorithm 2. As Adam with d = g, and p -= learning_rate * weight_decay * p.
struct AdamW {
    float learning_rate = 1e-3f;         ///< at least 0
    float beta1 = 0.9f, beta2 = 0.999f;  ///< of the first and second moment, 0 to less than 1
    float epsilon = 1e-8f;               ///< above 0
    float weight_decay = 1e-2f;          ///< at least 0
};

using Optimizer = std::variant<Sgd, Adam, AdamW>;

/// Throws std::invalid_argument for a number out of range. optimizer_step does so, too.
void check_optimizer(const Optimizer& optimizer);

/// How many moments it keeps of every parameter, 0 to 2.
uint32_t moment_count(const Optimizer& optimizer);

/// What holds of a step, as the device stores it.
struct StepVerdict {
    uint32_t diverged = 0;     ///< unless 0, the step changes nothing
    uint32_t refused = 0;      ///< unless 0, the step leaves running statistics as they were
    float gradient_scale = 1;  ///< the gradient takes part times this: below 1 where its norm is clipped
};

/// Flat float32 buffers of n numbers each, in whole vectors of four: n is a multiple of 4. Padding that is
/// zero in all of them stays zero. Everything starts, unless stated, at multiples of binding_alignment.
struct OptimizerStep {
    BufferView parameters{};                     ///< in and out, [n]: as many as the view has
    BufferView gradient{};                       ///< in, [n]
    BufferView first_moment{}, second_moment{};  ///< in and out, [n], 0 before the first step; those beyond
                                                 ///< moment_count are not used
    BufferView verdict{};  ///< in, StepVerdict [1], starts at any word; optional: as its defaults
    /// In and out; optional, both or neither: running statistics, which are a result of the step, too.
    /// `working` is what norms updated on the way, `committed` what holds after sound steps: one copies the
    /// former to the latter, one that diverged or whose statistics are refused the other way round. Whole
    /// words, as many as `working` has.
    BufferView working{}, committed{};
};

/// Records one step over all parameters, the optimizer's `step`th: they count from 1, for Adam's bias
/// correction. Parameters and moments saturate at the largest float32 instead of becoming infinite. Allocates
/// no device memory, submits nothing and waits for nothing. Throws std::invalid_argument naming the argument
/// before anything is recorded.
void optimizer_step(Recorder& recorder, const Optimizer& optimizer, uint64_t step,
                    const OptimizerStep& arguments);

}  // namespace vknorm
