// Looks over a run for what people trip over, and says it in one sentence.
#pragma once

#include <string>

#include "app/model.hpp"

namespace lab {

/// The most serious thing to say about the run; empty: nothing. Reads the settings, the step and the twins.
std::string lint(const Snapshot& run);

}  // namespace lab
