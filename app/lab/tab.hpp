// A tab: what fills the window below the cards, one at a time. It is a file in tabs/ and its line in
// tabs.hpp.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/lab/cards.hpp"
#include "app/lab/panel_grid.hpp"
#include "app/lab/shortcut.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// What a tab draws from, and may change.
struct TabFrame {
    const Look& look;
    plot::Rect area;       ///< the tab's own
    const Snapshot& run;   ///< as it is now: curves, and what can be set
    const Snapshot& then;  ///< as it was at the step looked at; `run` unless that is an earlier one
    PanelGrid& panels;     ///< shared, so that zoom and legends stay from tab to tab
    Settings& settings;
    Commands& commands;

    bool looks_back() const { return &run != &then; }
};

class Tab {
  public:
    virtual ~Tab() = default;

    /// In the strip of tabs.
    virtual const char* name() const = 0;
    /// In a few words, while the pointer rests on the name.
    virtual const char* note() const = 0;
    /// Into the current ImGui window.
    virtual void draw(const TabFrame& frame) = 0;
    /// Controls of its own, above those of the run, in the same column.
    virtual void draw_controls(const TabFrame&) {}
    /// Closes what fills it; false: nothing does.
    virtual bool step_back() { return false; }
    /// Whether it can show an earlier step; the others are of now.
    virtual bool turns_back() const { return false; }
    /// Whether its picture changes by itself.
    virtual bool moves() const { return false; }

    /// The example that it follows, for the cards above it.
    virtual std::optional<FollowedExample> followed() const { return {}; }

    /// The letter that shows the tab, and the first one again, beside the digit of its place. 0: none.
    virtual char letter() const { return 0; }
    /// What keys do while it is shown, whatever they do elsewhere.
    virtual std::vector<Shortcut> shortcuts(PanelGrid&) { return {}; }
    /// The setting that is on exactly while it is shown: for what takes time to measure. Null: none.
    virtual bool Settings::*measured() const { return nullptr; }
};

/// In the order of the strip.
using TabList = std::vector<std::unique_ptr<Tab>>;

}  // namespace lab
