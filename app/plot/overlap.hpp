// Lines that lie on each other are all seen: where they do, they take turns.
#pragma once

#include <span>
#include <vector>

#include "app/ui/ink.hpp"

namespace lab::plot {

/// A line as it was drawn, in unbroken stretches from left to right.
struct DrawnLine {
    std::vector<std::vector<ImVec2>> stretches;
    Color color;
    float width;
};

/// `lines` in the order in which they were drawn, between `left` and `right`: draws dashes, `dash` pixels
/// long, of those that later ones have covered.
void show_covered_lines(ImDrawList& list, std::span<const DrawnLine> lines, float left, float right,
                        float dash);

}  // namespace lab::plot
