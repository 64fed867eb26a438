// What a thing on the screen is: its formula and one line of why, behind a mark that opens them.
#pragma once

#include "app/ui/ink.hpp"

namespace lab {

struct Explanation {
    const char* name;
    const char* formula;  ///< may be empty; a hat is U+0302 behind its letter
    const char* why;
};

/// Words and how wide they may be before they go on in the next line.
struct WrappedText {
    ImFont* font;
    float width;

    float height(const char* words) const;
    /// Returns the height.
    float draw(ImDrawList& list, ImVec2 at, Color color, const char* words) const;
};

/// The width of a formula, and the formula in one line, hats included.
float formula_width(ImFont* font, const char* formula);
void draw_formula(const Look& look, ImDrawList& list, ImFont* font, ImVec2 at, Color color,
                  const char* formula);

/// How wide draw_info is.
inline constexpr float info_width = 16;
/// A mark around `center`. Under the pointer, with the keyboard, or after a click it shows the explanation,
/// from the line `below` on, where it hides none of what stands beside the mark.
void draw_info(const Look& look, const Explanation& explanation, ImVec2 center, float below);

}  // namespace lab
