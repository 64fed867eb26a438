// --script: the Lab without a display, used by a file.
#pragma once

#include "app/options.hpp"

namespace lab {

/// Throws ScriptError at the first line that cannot be done or expects in vain, and vknorm::Error without a
/// usable device.
void run_scripted(const Options& options);

}  // namespace lab
