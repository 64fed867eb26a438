// A part of a frame as an SVG file: lines as lines, text as text.
#pragma once

#include <string>

#include "app/ui/ink.hpp"
#include "app/ui/screen.hpp"

namespace lab {

/// What `frame`, of the current ImGui context, shows in `area`; `fonts` are those it is written in.
std::string svg_of(const Frame& frame, const plot::Rect& area, const Fonts& fonts);

}  // namespace lab
