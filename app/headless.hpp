// A run without a window: trains, shows a line of progress, and leaves a report.
#pragma once

#include "app/options.hpp"

namespace lab {

/// Returns the program's exit status; what went wrong is on stderr. The first SIGINT ends the run after its
/// step, and what there is is written; the second one ends the program.
int run_headless(const Options& options);

}  // namespace lab
