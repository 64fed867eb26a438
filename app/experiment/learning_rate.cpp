#include "app/experiment/learning_rate.hpp"

#include <algorithm>

#include <vknorm/learning_rate.hpp>

namespace lab {

namespace {

float factor_of(Schedule schedule, uint64_t step, uint64_t steps) {
    switch (schedule) {
        case Schedule::step:
            return vknorm::step_decay(step, {.every = (steps + 2) / 3});
        case Schedule::cosine:
            return vknorm::cosine_decay(step, {.steps = steps});
        case Schedule::one_cycle:
            return vknorm::one_cycle(step, {.steps = std::max<uint64_t>(steps, 2)});
        case Schedule::constant:
            break;
    }
    return 1;
}

}  // namespace

float learning_rate_at(const Settings& settings, uint64_t step) {
    const uint64_t before = settings.warm_up, all = settings.schedule_steps;
    const float factor = step <= before
                             ? vknorm::warm_up(step, {.steps = before})
                             : factor_of(settings.schedule, step - before, all > before ? all - before : 1);
    return settings.learning_rate * factor;
}

}  // namespace lab
