// "Restarted · Undo": what a change has just ended, and the way back, for some seconds.
#pragma once

#include <string>

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

class Toast {
  public:
    /// To be called with every frame's state.
    void watch(const Snapshot& run);
    /// In the right part of `area`, if there is something to say. Returns whether undo was pressed.
    bool draw(const Look& look, const plot::Rect& area);
    bool shown() const;

  private:
    std::string words_;
    Settings settings_;  // of the run
    uint64_t run_ = 0, newest_run_ = 0;
    double until_ = 0;
};

}  // namespace lab
