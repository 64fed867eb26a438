// The gallery of experiments: a drawer over the controls with a card for each, and the one that is shown.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "app/experiment/experiments.hpp"
#include "app/lab/experiments/study_screen.hpp"

namespace lab {

/// What was asked for.
struct GalleryClicks {
    const Experiment* run = nullptr;  ///< to be conducted, and shown live
    bool close = false;
};

class Gallery {
  public:
    bool open() const { return open_; }
    void toggle() { open_ = !open_; }
    void close() { open_ = false; }
    /// How wide the drawer is on a screen of that width.
    static float width(const Look& look, float screen);
    /// Null until one was chosen.
    const Experiment* shown() const { return shown_; }
    void show(const Experiment& experiment) { shown_ = &experiment; }

    GalleryClicks draw(const Look& look, const plot::Rect& frame, Commands& commands);
    /// The experiment that is shown, in `area`.
    void draw_shown(const Look& look, const plot::Rect& area, Commands& commands);

  private:
    struct Miniature {
        uint64_t revision;
        DrawnFigure drawn;
    };
    bool fits(const StudyView* study) const;
    bool draw_card(const Look& look, const plot::Rect& card, const Experiment& experiment,
                   const StudyView* study);
    void draw_picture(const Look& look, ImDrawList& list, const plot::Rect& frame,
                      const Experiment& experiment, const StudyView* study);
    void draw_chips(const Look& look, const plot::Rect& frame, const Commands& commands);

    bool open_ = false;
    const Experiment* shown_ = nullptr;
    std::optional<Verdict> only_;  // cards of that verdict
    bool only_not_run_ = false;
    StudyScreen screen_;
    std::map<const Experiment*, Miniature> miniatures_;
};

}  // namespace lab
