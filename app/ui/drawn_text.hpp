// What a frame says: the letters among its triangles, and where words stand. So that scripts and tests see
// what a user sees.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/ui/ink.hpp"

namespace lab {

/// One letter as it was drawn.
struct Glyph {
    plot::Rect rect, clip;
    ImVec2 uv;  ///< upper left corner in the font texture: tells letters and fonts apart
    Color color;
    unsigned vertex;  ///< its first one, in the list of triangles ...
    int list;         ///< ... of that number
};

/// Knows the letters of the fonts that the current ImGui context has.
class DrawnText {
  public:
    DrawnText();

    /// Every letter, in drawing order.
    std::vector<Glyph> read(const ImDrawData& frame) const;

  private:
    std::set<std::pair<float, float>> letters_;  // upper left texture coordinates
};

/// Where `words` stand in `font` among `glyphs`, all occurrences in drawing order. Spaces do not count.
std::vector<plot::Rect> find_words(const std::vector<Glyph>& glyphs, const std::string& words,
                                   const ImFont* font);

}  // namespace lab
