// Formula symbols, of which fonts lack the hat: "^x" is an x with one. And numbers as the microscope has
// them.
#pragma once

#include <string>

#include "app/ui/ink.hpp"

namespace lab {

ImVec2 symbols_size(ImFont* font, const std::string& words);
void draw_symbols(const Look& look, ImDrawList& list, ImFont* font, ImVec2 at, Color color,
                  const std::string& words);

/// Four digits: "0.416", "1.418e-3".
std::string figure(double value);
/// As many as float32 has: "2.381551".
std::string digits(double value);

/// A card with its title and, muted, what it is of; returns what is left below.
plot::Rect draw_titled_card(const Look& look, const plot::Rect& frame, const std::string& title,
                            const std::string& subtitle);
inline constexpr float card_title_height = 32;

/// A tick, from its middle.
void draw_tick(ImDrawList& list, ImVec2 center, float reach, float width, Color color);

}  // namespace lab
