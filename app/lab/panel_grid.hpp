// The panels in rows of three, and what the user does to them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/lab/panel.hpp"
#include "app/lab/shortcut.hpp"

namespace lab {

/// F11: the plot that `pointed_at` gives, if there is one, alone, or with the others again.
Shortcut full_plot_shortcut(std::function<plot::PanelState*()> pointed_at);

class PanelGrid {
  public:
    /// Makes the panels for so many twins.
    using MakePanels = std::vector<Panel> (*)(size_t twins);
    explicit PanelGrid(MakePanels make = all_panels) : make_(make) {}

    static constexpr size_t columns = 3;
    /// Where column `column` of a grid over `area` lies, over all rows.
    static plot::Rect column(const Look& look, const plot::Rect& area, size_t column);

    /// Once in each frame, before anything is drawn of `run`. `then` is what it was at the step looked at, or
    /// `run` itself.
    void begin(const Snapshot& run, const Snapshot& then);
    /// The axis over steps, for what is drawn in place of the panels.
    plot::SharedX& steps() { return steps_; }
    /// Draws the panels of `run` in a grid over `area`, but those that would begin beyond the first `shown`
    /// columns; or the full one alone.
    void draw(const Look& look, const plot::Rect& area, size_t shown, const Snapshot& run,
              const Snapshot& then);

    /// Keys for the panel under the pointer.
    std::vector<Shortcut> shortcuts();
    /// Makes the panel of that id the full one.
    void fill_with(const std::string& id);
    /// Ends a panel's being the full one; false when there is none.
    bool leave_full();
    /// Axes follow the data again.
    void fit();
    /// Zooms to the steps around `step`, or back.
    void look_closely(uint64_t step);
    /// Steps shown, if not all of them.
    std::optional<plot::Range> zoomed_to() const;

    /// In reading order, as of the latest frame.
    const std::vector<Panel>& panels() const { return panels_; }

  private:
    void draw_panel(Panel& panel, const PanelFrame& at);
    Panel* hovered();

    MakePanels make_;
    std::vector<Panel> panels_;
    size_t twins_ = 0;  // for which they are
    uint64_t run_ = 0;  // for which their axes are
    std::string hovered_;
    plot::SharedX steps_;
};

}  // namespace lab
