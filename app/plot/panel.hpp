// The card around every plot: title, the mark that explains it, legend whose entries switch series on and
// off, log switch, full-plot switch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/ui/explanation.hpp"
#include "app/ui/ink.hpp"
#include "app/ui/scale.hpp"

namespace lab::plot {

struct LegendEntry {
    std::string label;
    Color color;
    bool dashed = false;
    std::string brief{};  ///< in place of the label where room is short; empty: the label itself
    bool ended = false;   ///< nothing more comes: a cross in place of the swatch
};

/// What the user chose for one panel.
struct PanelState {
    uint32_t hidden = 0;  ///< bit i: legend entry i is switched off
    Scale scale = Scale::linear;
    bool full = false;  ///< asks for the whole area

    bool shows(uint32_t entries) const { return (hidden & entries) == 0; }
};

struct PanelOptions {
    const char* id;
    std::string title;               ///< may have hats, as formulas do
    const Explanation& explanation;  ///< of the title
    std::span<const LegendEntry> legend;
    bool can_log = false;
    bool toggles = true;                ///< the legend's entries can be switched off
    std::vector<std::string> footer{};  ///< lines below the plot
};

struct PanelArea {
    Rect content;
    bool hovered;  ///< the pointer is over the panel
};

/// Draws the card and returns what is left for the plot.
PanelArea begin_panel(const Look& look, const Rect& frame, const PanelOptions& options, PanelState& state);

/// A cross around `center`, for what has ended or is wrong.
void draw_cross(ImDrawList& list, ImVec2 center, float reach, float width, Color color);

/// Says in the middle of `content` why there is nothing to see.
void empty_note(const Look& look, const Rect& content, const char* note);

/// A read-out near the pointer: a heading and lines of colour, name, value.
struct ReadingLine {
    std::string name;
    Color color;
    double value;
    std::string text;  ///< the value in words
};
void draw_reading(const Look& look, ImVec2 at, const std::string& heading,
                  std::span<const ReadingLine> lines);

}  // namespace lab::plot
