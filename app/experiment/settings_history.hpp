// The settings that a session has had, for undo and redo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/experiment/settings.hpp"

namespace lab {

class SettingsHistory {
  public:
    struct State {
        Settings settings;
        uint64_t run;  ///< that they were, or became, the settings of
    };
    static constexpr size_t most = 200;  ///< the oldest ones are forgotten

    /// `state` is the present one from now on. `amends`: it takes the present one's place, as while a slider
    /// is dragged.
    void add(State state, bool amends);
    bool can_undo() const { return place_ > 0; }
    bool can_redo() const { return place_ + 1 < states_.size(); }
    /// Goes one back, or forth, and returns what is the present one then. Only if it can.
    const State& undo() { return states_[--place_]; }
    const State& redo() { return states_[++place_]; }
    /// The latest of what undo() and redo() returned belongs to another run now.
    void set_run(uint64_t run) { states_[place_].run = run; }

  private:
    std::vector<State> states_;
    size_t place_ = 0;
};

}  // namespace lab
