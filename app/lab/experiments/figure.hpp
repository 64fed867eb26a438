// A figure of an experiment: curves over steps, or dots over the values that its runs differ in; seeds thin,
// their medians thick, values of others hollow.
#pragma once

#include <memory>
#include <vector>

#include "app/experiment/studies.hpp"
#include "app/plot/panel.hpp"

namespace lab {

struct FigureFrame {
    const Look& look;
    plot::Rect frame;
    size_t number;  ///< from 1, of its words in the text; 0: no text speaks of it
    bool ringed;
};

/// What a figure shows of one state of a study.
struct DrawnFigure {
    struct Line {
        size_t twin;
        std::string name;
        std::vector<Curve> seeds;
        Curve median;
    };
    std::vector<Line> lines;
    std::vector<double> places{};        ///< that an axis of values has, measured or not
    std::optional<plot::Range> range{};  ///< that the axis upward has, as in plots beside it
};
/// Of those values of x that at least so many curves have, the median of y.
Curve median_of(const std::vector<Curve>& seeds, size_t least);
DrawnFigure drawn_figure(const Figure& figure, const StudyView& study);

void draw_figure(const FigureFrame& at, const Figure& figure, const DrawnFigure& drawn,
                 plot::PanelState& state);
/// Its lines only.
void draw_miniature(const Look& look, ImDrawList& list, const plot::Rect& frame, const Figure& figure,
                    const DrawnFigure& drawn);
/// "1" in a square.
void draw_number(const Look& look, ImDrawList& list, ImVec2 center, size_t number, bool ringed);

}  // namespace lab
