// The Lab's window around the tabs: toolbar, controls, cards, status bar, help, and the keys that work in all
// of them.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "app/experiment/lint.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/lab/experiments/gallery.hpp"
#include "app/lab/help.hpp"
#include "app/lab/introduction.hpp"
#include "app/lab/open_dialog.hpp"
#include "app/lab/palette.hpp"
#include "app/lab/panel_grid.hpp"
#include "app/lab/plot_menu.hpp"
#include "app/lab/tab_strip.hpp"
#include "app/lab/tabs.hpp"
#include "app/lab/time_slider.hpp"
#include "app/lab/toast.hpp"
#include "app/ui/screen.hpp"

namespace lab {

/// The smallest window, in pixels at scale 1. Where there are fewer, everything shrinks.
inline const ImVec2 least_window{1200, 800};

/// Where things are on a screen of `size`.
struct ShellLayout {
    plot::Rect toolbar, tabs, controls, cards, tab, status;
    plot::Rect runs;  ///< of no height while there are none before the present one
    plot::Rect time;  ///< of no height while no earlier step can be looked at
};
ShellLayout lay_out(const Look& look, ImVec2 size, size_t kept_runs, bool turns_back);

/// What the user asked of the program around the window.
struct Requests {
    bool screenshot = false;
    bool export_run = false;
    std::optional<PlotRequest> plot{};  ///< to be saved
    bool introduced = false;            ///< the last card of the introduction has gone
    bool close = false;
    bool redraw = false;  ///< soon, though nothing happens: something moves
};

class Shell {
  public:
    /// `commands` must outlive this.
    explicit Shell(Commands& commands, std::span<const MakeTab> tabs = all_tabs);
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    /// Between Screen::begin and Screen::end. `frame_ms` is how long the previous frame took to draw.
    Requests draw(Screen& screen, float frame_ms);

    const Settings& settings() const { return settings_; }
    const std::vector<Panel>& panels() const { return panels_.panels(); }
    /// Whether an earlier step of `run` can be looked at.
    bool turns_back(const Snapshot& run) const {
        return tabs_[shown_]->turns_back() && TimeSlider::has_past(run);
    }
    /// The one that is; none: the latest.
    std::optional<uint64_t> past_step() const {
        return tabs_[shown_]->turns_back() ? time_.past_step() : std::nullopt;
    }
    /// Trains slowly, and explains the screen with a few cards.
    void introduce();
    /// Says something in the status bar, for some seconds.
    void announce(std::string note);

  private:
    void obey_keys(Screen& screen, std::span<const Shortcut> shortcuts);
    /// All that keys do now, in the order of the help.
    std::vector<Shortcut> shortcuts(Screen& screen, const Snapshot& run, Requests& requests);
    void draw_window(Screen& screen, ImVec2 size, const Snapshot& run, const Snapshot& then, float frame_ms,
                     std::span<const Shortcut> shortcuts);
    void draw_dialogs(const Look& look, ImVec2 size, const ShellLayout& layout,
                      std::span<const Shortcut> shortcuts, std::span<const Finding> found);
    /// Closes the topmost thing that is open.
    void step_back(Focus& focus);
    void run_or_pause(const Snapshot& run);
    /// Takes up the settings that undo and the like brought back.
    void follow(const Snapshot& run);
    void switch_theme(Screen& screen);
    void show(size_t tab);
    /// The tab that measures what that setting switches on.
    void show_measured(bool Settings::*setting);
    /// Whether it did: not where it changes what is hidden.
    bool take_preset(const Settings& preset);
    void take_fix(const Fix& fix);
    void copy_share_string();
    void open_share_string(const std::string& text);
    void open_clipboard();
    void ask_for_data();
    /// What was dropped or chosen, or says that it cannot be. `choice`: as DataFile::choice.
    void open_data(const std::vector<std::filesystem::path>& paths, const std::string& choice = "");
    /// Begins a run with the settings, though they may be those of the present one.
    void begin_run();
    /// The tab of what a setting switches on, if one of them is on.
    void show_what_is_measured();
    /// Takes back changes of settings that are hidden, and says so; false: there are none.
    bool take_back_concealed();
    void look_up(const char* name);
    void open_keys();
    void open_palette();
    /// Runs the first of its runs live, while all are conducted beside it.
    void begin_experiment(const Experiment& experiment);
    /// Does what the plan of the live run has for the step it is at.
    void follow_plan(const Snapshot& run);
    void apply_settings();

    Commands& commands_;
    Settings settings_, applied_;
    TabList tabs_;
    size_t shown_ = 0;  // tab
    PanelGrid panels_;
    bool moving_ = false;  // what is held has changed settings already
    Toast toast_;
    uint64_t settings_restored_ = 0;  // as the snapshot counts
    Help help_;
    Palette palette_;
    TimeSlider time_;
    OpenDialog open_dialog_;
    PlotMenu plot_menu_;
    std::optional<PlotRequest> plot_asked_for_;
    Introduction introduction_;
    const char* asked_for_ = nullptr;  // dialog to be opened
    Gallery gallery_;
    /// What is to happen to the live run.
    struct LivePlan {
        RunPlan plan;         // what was done is gone from its events
        uint64_t run_before;  // Snapshot::run
        std::optional<uint64_t> run{};
    };
    std::optional<LivePlan> live_;
    std::string note_;
    double note_until_ = 0;
};

}  // namespace lab
