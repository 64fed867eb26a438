// One experiment on the screen: what there is to see, the verdict, and the figures.
#pragma once

#include <map>
#include <vector>

#include "app/lab/experiments/figure.hpp"

namespace lab {

class StudyScreen {
  public:
    /// Draws into `area`; `study` is null while the experiment was not asked for. Returns whether it is to be
    /// conducted again.
    bool draw(const Look& look, const plot::Rect& area, const Experiment& experiment, const StudyView* study);

    /// The figure whose words the pointer is on, from 1; 0: none.
    size_t ringed() const { return ringed_; }

  private:
    void take(const Experiment& experiment, const StudyView* study);
    float draw_words(const Look& look, const plot::Rect& area, const Experiment& experiment,
                     const StudyView* study);
    float draw_verdict(const Look& look, const plot::Rect& area, const Experiment& experiment,
                       const StudyView* study);
    void draw_figures(const Look& look, const plot::Rect& area, const Experiment& experiment);

    const Experiment* experiment_ = nullptr;  // of the members that follow
    uint64_t revision_ = 0;
    std::vector<DrawnFigure> drawn_;
    std::vector<plot::PanelState> panels_;
    size_t ringed_ = 0;
    bool again_ = false;
};

/// Of the state of a study: "holds", "42 %", "not run".
struct Badge {
    std::string words;
    Color ink, ground;
    enum class Mark { none, check, cross } mark;
};
Badge badge_of(const Look& look, const StudyView* study);
void draw_mark(ImDrawList& list, ImVec2 center, float reach, float width, Badge::Mark mark, Color color);

}  // namespace lab
