// The overlay that lists keys and gestures.
#pragma once

#include <span>

#include "app/lab/shortcut.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// Over the whole screen of `size`; clears `open` on a click anywhere.
void draw_help(const Look& look, ImVec2 size, std::span<const Shortcut> shortcuts, bool& open);

}  // namespace lab
