// The learning rate of a run, step by step.
#pragma once

#include "app/experiment/settings.hpp"

namespace lab {

/// Of that step, which counts from 1: the settings' rate, as warm-up and schedule change it.
float learning_rate_at(const Settings& settings, uint64_t step);

}  // namespace lab
