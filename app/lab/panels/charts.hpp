// The panels of what is measured at every step: lines over steps.
#pragma once

#include "app/lab/panel.hpp"

namespace lab {

Panel loss_panel();
Panel accuracy_panel();
Panel percentile_panel();
Panel mean_panel();
Panel variance_panel();
Panel gradient_panel();

}  // namespace lab
