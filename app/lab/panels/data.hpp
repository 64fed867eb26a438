// The panel of what the twins make of the data: the decision boundary in the plane, or pictures with guesses.
#pragma once

#include "app/lab/panel.hpp"

namespace lab {

Panel data_panel();

}  // namespace lab
