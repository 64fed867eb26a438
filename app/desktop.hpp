// The Lab in a window.
#pragma once

#include "app/options.hpp"

namespace lab {

/// Opens the window and stays until it is closed; `options` says with which settings, on which device. Needs
/// display_available(). Without validation the program ends then, with exit_status::ok. Throws vknorm::Error
/// when the device cannot be used or cannot present here.
void run_desktop(const Options& options);

}  // namespace lab
