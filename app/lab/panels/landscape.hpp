// The panels of what lies along the gradient, over the steps and in the latest look.
#pragma once

#include "app/lab/panel.hpp"

namespace lab {

std::vector<Panel> landscape_panels(size_t twins);

}  // namespace lab
