// What happened in a run beside its steps, in words: marks on the plots over steps, lines of events.csv.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/experiment/settings.hpp"

namespace lab {

enum class EventKind {
    begun,     ///< the run differs from the one before it
    setting,   ///< a setting changed
    frozen,    ///< norms stopped, or went on, taking in what they see
    mode,      ///< steps normalize with other statistics
    refused,   ///< a step or a setting was
    diverged,  ///< a twin met NaN or an infinity
};
const char* word(EventKind kind);

struct Event {
    uint64_t step = 0;  ///< the first one that it concerns; of a refusal or a divergence, the one not made
    EventKind kind = EventKind::setting;
    std::string words;  ///< "Learning rate 0.3 → 1"

    /// Nobody asked for it.
    bool by_itself() const { return kind == EventKind::refused || kind == EventKind::diverged; }
    bool operator==(const Event&) const = default;
};

struct ChangedSetting {
    const Field* field;
    size_t twin;
    bool operator==(const ChangedSetting&) const = default;
};
/// What is different in `to`, but for what is only looked at.
std::vector<ChangedSetting> changed_settings(const Settings& from, const Settings& to);
/// The same in few words: "Noise 0.16 → 0.3", "Seed 7 → 8 and 2 more". Empty: nothing is.
std::string change_in_words(const Settings& from, const Settings& to);

/// The events of one run, in their order.
class EventLog {
  public:
    static constexpr size_t most = 500;  ///< the oldest ones give way

    void add(Event event);
    /// Settings that the run goes on with from `step` on. A slider that is dragged gives one event.
    void add_changes(const Settings& from, const Settings& to, uint64_t step);

    const std::vector<Event>& events() const { return events_; }

  private:
    /// What the latest event tells of, if it is a setting that may still be on the move.
    struct Move {
        ChangedSetting setting;
        std::string from;
        uint64_t step;  ///< of its latest change
    };

    void add_change(const ChangedSetting& setting, const Settings& from, const Settings& to, uint64_t step);

    std::vector<Event> events_;
    std::optional<Move> move_;
};

}  // namespace lab
