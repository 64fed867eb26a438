// The panels of what the activations of the inspected layer receive, over the run: ridgelines, one for each
// twin.
#pragma once

#include "app/lab/panel.hpp"

namespace lab {

/// The twins share the width of two cells.
Panel distribution_panel(size_t twin, size_t twins);

}  // namespace lab
