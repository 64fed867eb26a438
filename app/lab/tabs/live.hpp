// The Live screen: toolbar, controls, network strip, nine plots, status bar.
#pragma once

#include <array>
#include <memory>

#include "app/experiment/snapshot.hpp"
#include "app/lab/tabs/charts.hpp"
#include "app/plot/ridgeline.hpp"
#include "app/ui/screen.hpp"

namespace lab {

/// Where things are in the latest frame.
struct LiveLayout {
    plot::Rect toolbar, controls, cards, status;
    std::array<plot::Rect, 9> panels;  ///< in reading order
    plot::Rect plan;                   ///< in place of the last column of panels while it is shown
};
LiveLayout lay_out(const Look& look, ImVec2 size);

/// What the user asked of the program around the screen.
struct Requests {
    bool screenshot = false;
    bool export_run = false;
    bool close = false;
};

class Live {
  public:
    /// `commands` must outlive this.
    explicit Live(Commands& commands);

    /// Between Screen::begin and Screen::end. `frame_ms` is how long the previous frame took to draw.
    Requests draw(Screen& screen, float frame_ms);

    const Settings& settings() const { return settings_; }
    /// Says something in the status bar, for some seconds.
    void announce(std::string note);

    // The plots' state, in the order of the panels; 2 to 4 are the boundary and the ridgelines.
    static constexpr size_t boundary_panel = 2, ridgeline_panel = 3;
    const plot::PlotState& plot(size_t panel) const { return plots_[panel]; }
    const plot::RidgelineState& ridgeline(size_t twin) const { return ridgelines_[twin]; }

  private:
    void obey_keys(Screen& screen, const Snapshot& snapshot, Requests& requests);
    void draw_plots(const Look& look, const LiveLayout& layout, const Snapshot& snapshot);
    void draw_panel(const Look& look, size_t panel, const plot::Rect& frame, const Snapshot& snapshot);
    void draw_data_panel(const Look& look, const plot::Rect& frame, const Snapshot& snapshot);
    void draw_distribution(const Look& look, size_t twin, const plot::Rect& frame, const Snapshot& snapshot);
    void draw_status(const Look& look, const plot::Rect& frame, const Snapshot& snapshot);
    void take_preset(const Settings& preset);
    void apply_settings();
    plot::PanelState& panel_state(size_t panel);

    Commands& commands_;
    Settings settings_, applied_;
    std::array<plot::PlotState, 9> plots_;  ///< those of panels of another kind lend only their PanelState
    std::array<plot::RidgelineState, drawn_twins> ridgelines_;
    plot::SharedX steps_;
    size_t hovered_panel_ = 0;
    bool help_ = false;
    size_t planned_twin_ = 0;
    std::string note_;
    double note_until_ = 0;
};

}  // namespace lab
