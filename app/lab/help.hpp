// The overlay that lists keys and gestures.
#pragma once

#include "app/ui/ink.hpp"

namespace lab {

/// Over the whole screen of `size`; clears `open` on a click anywhere.
void draw_help(const Look& look, ImVec2 size, bool& open);

}  // namespace lab
