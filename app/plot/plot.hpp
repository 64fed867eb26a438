// A plot of series over training steps: axes, grid, lines and bands, zoom, drag, read-out.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "app/plot/decimate.hpp"
#include "app/plot/marks.hpp"
#include "app/plot/panel.hpp"
#include "app/plot/view.hpp"

namespace lab::plot {

enum class Style {
    noise,  ///< every value, faint
    line,   ///< solid
    dotted,
    step,  ///< holds its value until the next one
    dashed_step,
    band,  ///< the area from `points` up to `upper`
};

struct Series {
    std::string name;  ///< in the read-out; empty: not there
    Color color;
    Style style = Style::line;
    uint32_t legend = 0;  ///< bits of the legend entries that must all be on
    float width = 1.5f;
    Points points;
    Points upper;  ///< of a band, at the same x as `points`
    Points ink{};  ///< what noise is drawn from where `points` are not all of it: the least and the
                   ///< greatest, one after the other; empty: `points`
    std::array<std::string, 2> edges{};  ///< of a band, in tables
};

/// An x axis that plots share, most often over steps, and the position looked at by pointer or keyboard,
/// which all of them mark.
struct SharedX {
    AxisView view;
    Range data{0, 1};
    std::optional<double> marked;       ///< by the previous frame
    std::optional<double> next_marked;  ///< by this one
    std::vector<Mark> marks{};          ///< in the order of their steps
    std::optional<double> past;  ///< the earlier step that all but curves is of, if it is not the latest
    const char* name = "step";
    double unit = 1;  ///< the keyboard goes from one multiple of it to another

    /// Zooms to the steps around `x`; to all of them, if it shows those already.
    void look_closely(double x);
};

struct Reading {
    double x = 0;
    std::vector<ReadingLine> lines;
};

/// What the user did to one plot, and what it last said and showed.
struct PlotState {
    PanelState panel;
    AxisView values;  ///< upward; of ridgelines, to the right
    std::optional<Reading> reading;
    Mapping mapping;                          ///< of the latest frame
    bool has_keyboard = false;                ///< in the latest frame
    std::optional<double> looked_at{};        ///< step that the keyboard points at
    std::optional<double> value_looked_at{};  ///< and in ridgelines the value
};

struct PlotOptions {
    PanelOptions panel;
    std::optional<Range> y_limits;        ///< the values can only lie here
    std::optional<Range> y_shows{};       ///< the axis has these, too
    std::span<const Range> unmeasured{};  ///< steps, hatched
    const char* empty = "No steps yet";
    const char* unit = "";  ///< of the values, in tables
};

/// Draws the plot into `frame` of the current window and obeys the pointer.
void draw_plot(const Look& look, const Rect& frame, const PlotOptions& options,
               std::span<const Series> series, PlotState& state, SharedX& shared);

/// Dashes by length along the line, or where it goes up and down within a dash, by length across.
void stroke_dashed(ImDrawList& list, std::span<const ImVec2> line, Color color, float width, float dash,
                   bool across);

/// Grid, ticks and name of the x axis, also for plots of another kind.
void draw_x_axis(const Look& look, const Mapping& mapping, const char* label);
/// The same of the y axis, with `ticks` at its left; and the room that their labels need there.
void draw_y_axis(const Look& look, const Mapping& mapping, std::span<const Tick> ticks);
float label_room(const Look& look, std::span<const Tick> ticks);

}  // namespace lab::plot
