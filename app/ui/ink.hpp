// Marks on a draw list that ImGui has no call for, or tears up on dense data.
#pragma once

#include <span>
#include <string>

#include "app/ui/theme.hpp"

namespace lab::plot {

struct Rect {
    ImVec2 min, max;

    float width() const { return max.x - min.x; }
    float height() const { return max.y - min.y; }
    bool contains(ImVec2 p) const { return p.x >= min.x && p.x < max.x && p.y >= min.y && p.y < max.y; }
};

/// An anti-aliased line of any width. Sharp turns are cut instead of mitred, so that no spike loses its tip.
void stroke(ImDrawList& list, std::span<const ImVec2> points, Color color, float width);
/// The area between two lines over the same columns of pixels.
void area(ImDrawList& list, std::span<const ImVec2> upper, std::span<const ImVec2> lower, Color color);
/// Slanted lines over it: what was not measured.
void hatch(const Look& look, ImDrawList& list, const Rect& rect);
/// A disc of `radius` at `center`, from the font texture.
void disc(ImDrawList& list, const Fonts& fonts, ImVec2 center, float radius, Color color);
/// Four corners, each with its colour: upper left, upper right, lower right, lower left.
void quad(ImDrawList& list, ImVec2 min, ImVec2 max, const Color (&corners)[4]);
/// A rounded card with an outline, on the window's ground. Its fill is a plate: nothing drawn by ImGui lies
/// below it.
void card(const Look& look, ImDrawList& list, const Rect& frame, float rounding, Color fill, Color outline,
          float thickness);
/// Text whose upper left corner is moved to whole pixels.
void text(ImDrawList& list, ImFont* font, ImVec2 position, Color color, const char* begin,
          const char* end = nullptr);
/// The whole text, or as much of its beginning as `width` has room for, with dots.
std::string fitted(ImFont* font, const std::string& whole, float width);
ImVec2 text_size(ImFont* font, const char* begin, const char* end = nullptr);

}  // namespace lab::plot
