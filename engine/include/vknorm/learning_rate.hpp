// How the learning rate changes over a run: factors of the rate that an optimizer is given, as the schedulers
// of torch.optim.lr_scheduler define them.
//
//     network.set_learning_rate(0.1f * vknorm::cosine_decay(network.steps() + 1, {.steps = 1000}));
//
// Steps count from 1: step s has the factor that PyTorch's optimizer has after s - 1 calls of the scheduler.
// One that begins with a warm-up, as SequentialLR joins them:
//
//     step <= 50 ? vknorm::warm_up(step, {.steps = 50}) : vknorm::cosine_decay(step - 50, {.steps = 950})
//
// All throw std::invalid_argument for step 0 and for numbers out of range.
#pragma once

#include <cstdint>

namespace vknorm {

struct StepDecay {
    uint64_t every = 0;   ///< steps of the same rate, at least 1
    float factor = 0.1f;  ///< from each of these stretches to the next, above 0
};
/// StepLR: factor^floor((step - 1) / every).
float step_decay(uint64_t step, const StepDecay& options);

struct CosineDecay {
    uint64_t steps = 0;  ///< until the lowest factor is reached, at least 1
    float lowest = 0;    ///< 0 to 1
};
/// CosineAnnealingLR: lowest + (1 - lowest) * (1 + cos(pi * (step - 1) / steps)) / 2. After `steps` it stays
/// at the lowest, where PyTorch's rises again.
float cosine_decay(uint64_t step, const CosineDecay& options);

struct WarmUp {
    uint64_t steps = 0;      ///< until the factor is 1, at least 1
    float first = 1.0f / 3;  ///< at step 1, above 0, at most 1
};
/// LinearLR: first + (1 - first) * min(step - 1, steps) / steps.
float warm_up(uint64_t step, const WarmUp& options);

struct OneCycle {
    uint64_t steps = 0;       ///< of the whole run, at least 2
    float rising = 0.3f;      ///< part of the steps until the factor is 1, above 0, below 1
    float start = 1.0f / 25;  ///< factor at step 1, above 0, at most 1
    float end = 1e-4f / 25;   ///< factor at the last step, 0 to 1
};
/// OneCycleLR with anneal_strategy "cos", two phases and the momentum as it is: half a cosine from `start` up
/// to 1 at step rising * steps, another one down to `end` at the last step, and that from then on.
float one_cycle(uint64_t step, const OneCycle& options);

}  // namespace vknorm
