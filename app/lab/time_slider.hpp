// The slider that turns time back: which step of the run all but curves is of.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

class TimeSlider {
  public:
    using Moment = std::shared_ptr<const Snapshot>;

    static constexpr float height = 48;  ///< pixels at scale 1
    /// Whether there is a step to go back to.
    static bool has_past(const Snapshot& run);

    /// Once in each frame, `seconds` after the one before: what is looked at, `run` or a moment of it. Plays
    /// on, and is back at now where the run was resumed, stepped, begun again or replaced, and where the
    /// moment has nothing of what `settings` inspect.
    Moment follow(const Moment& run, const Settings& settings, float seconds);
    bool plays() const { return playing_; }
    /// The step of the moment that is looked at; none: now.
    std::optional<uint64_t> past_step() const;

    /// To the moment that lies so many after the one looked at; the last one is now.
    void go(int moments);
    void go_to_first();
    void go_to_now();
    void play_or_pause();

    void draw(const Look& look, const plot::Rect& frame, const Snapshot& run);

  private:
    /// The step that is looked at, among those there are.
    size_t place() const;
    void go_to(size_t place);
    void draw_track(const Look& look, const plot::Rect& area, const Snapshot& run);

    std::vector<Moment> past_;  // what can be looked at before now
    Moment looked_at_;          // null: now
    bool playing_ = false;
    float waited_ = 0;  // seconds since the moment changed
    int pace_ = 1;      // of paces
    // The run as of the frame before:
    uint64_t run_ = 0, step_ = 0;
    bool running_ = false;
};

}  // namespace lab
