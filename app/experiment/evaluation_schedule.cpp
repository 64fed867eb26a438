#include "app/experiment/evaluation_schedule.hpp"

#include <initializer_list>

namespace lab {

namespace {

constexpr uint64_t shortest = 5;

uint64_t interval(uint64_t step) {
    uint64_t power = 1;
    while (power <= step / 100) power *= 10;
    for (const uint64_t digit : {5, 2, 1})
        if (digit * power <= step / 10) return digit * power > shortest ? digit * power : shortest;
    return shortest;
}

}  // namespace

bool evaluation_due(uint64_t step) {
    return step % interval(step) == 0;
}

uint64_t next_evaluation(uint64_t step) {
    return (step / interval(step) + 1) * interval(step);
}

}  // namespace lab
