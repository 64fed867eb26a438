#include "vknorm/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ops/arguments.hpp"

namespace vknorm {

using namespace detail;

namespace {

void require_one(const char* operation, const char* name, uint64_t got) {
    if (got == 0) refuse(operation, name, "0", "at least 1");
}

/// Those made before the step.
double steps_before(const char* operation, uint64_t step) {
    require_one(operation, "step", step);
    return static_cast<double>(step - 1);
}

void require(bool good, const char* operation, const char* name, float got, const char* needed) {
    if (!good) refuse(operation, name, std::to_string(got), needed);
}

/// From `first` to `last` as `part` goes from 0 to 1, by half a cosine.
double half_cosine(double first, double last, double part) {
    return last + (first - last) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

float step_decay(uint64_t step, const StepDecay& options) {
    const double before = steps_before("step_decay", step);
    require_one("step_decay", "every", options.every);
    require(options.factor > 0 && std::isfinite(options.factor), "step_decay", "factor", options.factor,
            "a finite number above 0");
    return static_cast<float>(
        std::pow(double{options.factor}, std::floor(before / static_cast<double>(options.every))));
}

float cosine_decay(uint64_t step, const CosineDecay& options) {
    const double before = steps_before("cosine_decay", step);
    require_one("cosine_decay", "steps", options.steps);
    require(options.lowest >= 0 && options.lowest <= 1, "cosine_decay", "lowest", options.lowest, "0 to 1");
    return static_cast<float>(
        half_cosine(1, options.lowest, std::min(before / static_cast<double>(options.steps), 1.0)));
}

float warm_up(uint64_t step, const WarmUp& options) {
    const double before = steps_before("warm_up", step);
    require_one("warm_up", "steps", options.steps);
    require(options.first > 0 && options.first <= 1, "warm_up", "first", options.first, "above 0, at most 1");
    const double part = std::min(before / static_cast<double>(options.steps), 1.0);
    return static_cast<float>(options.first + (1 - double{options.first}) * part);
}

float one_cycle(uint64_t step, const OneCycle& options) {
    const double before = steps_before("one_cycle", step);
    if (options.steps < 2) refuse("one_cycle", "steps", std::to_string(options.steps), "at least 2");
    require(options.rising > 0 && options.rising < 1, "one_cycle", "rising", options.rising,
            "above 0, below 1");
    require(options.start > 0 && options.start <= 1, "one_cycle", "start", options.start,
            "above 0, at most 1");
    require(options.end >= 0 && options.end <= 1, "one_cycle", "end", options.end, "0 to 1");
    const double last = static_cast<double>(options.steps) - 1, now = std::min(before, last);
    // The peak may lie before step 1, when there is no way up.
    const double peak = double{options.rising} * static_cast<double>(options.steps) - 1;
    if (now <= peak) return static_cast<float>(half_cosine(options.start, 1, peak > 0 ? now / peak : 1));
    return static_cast<float>(half_cosine(1, options.end, (now - peak) / (last - peak)));
}

}  // namespace vknorm
