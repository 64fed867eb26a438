// What happened during a run, on its plots: a thin line at its step, with a numbered flag that explains
// itself while the pointer is on it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/plot/decimate.hpp"
#include "app/plot/panel.hpp"

namespace lab::plot {

struct Mark {
    double x;  ///< step
    size_t number;
    bool alarming;      ///< it happened by itself: red, and said beside the line
    std::string words;  ///< "B diverged: a loss that is not a number": what is before the colon is said there
};

Color mark_color(const Look& look, const Mark& mark);

/// Flags that would lie on each other are one: "3–5".
struct Flag {
    Rect rect;
    std::vector<const Mark*> marks;
};
inline constexpr float flag_height = 14;
/// Of the marks within the mapping: side by side with their lower edge at `bottom`, ...
std::vector<Flag> flags_across(const Look& look, const Mapping& mapping, std::span<const Mark> marks,
                               float bottom);
/// ... or one below the other at `left`, their middles at `places`, where a NaN leaves a mark out.
std::vector<Flag> flags_down(const Look& look, std::span<const Mark> marks, float left,
                             std::span<const float> places);

void draw_flag(const Look& look, ImDrawList& list, const Flag& flag);
/// The vertical lines of marks, and what the alarming ones say.
void draw_mark_lines(const Look& look, ImDrawList& list, const Mapping& mapping, std::span<const Mark> marks);
/// A dashed line at the step looked at.
void draw_past_line(const Look& look, ImDrawList& list, const Mapping& mapping, double step);
/// Draws the flags and explains the one under the pointer. Returns the mark of a flag that was clicked.
const Mark* obey_flags(const Look& look, std::span<const Flag> flags);

/// The line of a read-out that tells of a mark.
ReadingLine reading_of(const Look& look, const Mark& mark);

}  // namespace lab::plot
