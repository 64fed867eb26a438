#include "app/experiment/evaluation_schedule.hpp"

#include <initializer_list>

namespace lab {

EvaluationSchedule::EvaluationSchedule(const Settings& settings)
    : untrained_(is_perceptron(settings)), shortest_(untrained_ ? 5 : 50) {}

uint64_t EvaluationSchedule::interval(uint64_t step) const {
    uint64_t power = 1;
    while (power <= step / 100) power *= 10;
    for (const uint64_t digit : {5, 2, 1})
        if (digit * power <= step / 10) return digit * power > shortest_ ? digit * power : shortest_;
    return shortest_;
}

bool EvaluationSchedule::due(uint64_t step) const {
    return step == 0 ? untrained_ : step % interval(step) == 0;
}

uint64_t EvaluationSchedule::next(uint64_t step) const {
    return (step / interval(step) + 1) * interval(step);
}

}  // namespace lab
