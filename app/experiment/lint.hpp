// Looks over a run for what people trip over, and says it in one sentence.
#pragma once

#include <string>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// Why a twin's training steps are refused: it would normalize one example alone. Empty: they are not.
std::string lone_example(const Settings& settings, size_t twin);
/// The most serious thing to say about the run; empty: nothing. Reads the settings, the step and the twins.
std::string lint(const Snapshot& run);

}  // namespace lab
