#include "app/experiment/events.hpp"

#include <algorithm>

namespace lab {

namespace {

// Changes of one setting within so many steps are one movement of a hand.
constexpr uint64_t steps_of_a_move = 60;

constexpr const Field& update_running = field_named("update-running");
constexpr const Field& train_affine = field_named("train-affine");
constexpr const Field& statistics = field_named("statistics");

std::string named(const ChangedSetting& setting) {
    return name_of(*setting.field, setting.twin);
}

std::string from_to(const std::string& from, const std::string& to) {
    return " " + from + " \xE2\x86\x92 " + to;
}

Event frozen(uint64_t step, bool on, const char* what) {
    return {step, EventKind::frozen, std::string(what) + (on ? " go on" : " stay as they are")};
}

}  // namespace

const char* word(EventKind kind) {
    switch (kind) {
        case EventKind::begun:
            return "begun";
        case EventKind::setting:
            return "setting";
        case EventKind::frozen:
            return "frozen";
        case EventKind::mode:
            return "mode";
        case EventKind::refused:
            return "refused";
        case EventKind::diverged:
            return "diverged";
    }
    return "";
}

std::vector<ChangedSetting> changed_settings(const Settings& from, const Settings& to) {
    const size_t twins = std::min(from.twins.size(), to.twins.size());
    std::vector<ChangedSetting> changed;
    for (const Field& field : fields) {
        if (field.effect == Effect::view) continue;
        for (size_t twin = 0; twin < (is_of_twin(field) ? twins : 1); ++twin)
            if (value_of(field, from, twin) != value_of(field, to, twin)) changed.push_back({&field, twin});
    }
    return changed;
}

std::string change_in_words(const Settings& from, const Settings& to) {
    const std::vector<ChangedSetting> changed = changed_settings(from, to);
    if (changed.empty()) return "";
    const auto& [field, twin] = changed.front();
    const std::string first =
        named(changed.front()) + from_to(text_of(*field, from, twin), text_of(*field, to, twin));
    return first + (changed.size() > 1 ? " and " + std::to_string(changed.size() - 1) + " more" : "");
}

void EventLog::add(Event event) {
    move_.reset();
    if (!events_.empty() && events_.back() == event) return;  // asked for again, refused again
    if (events_.size() == most) events_.erase(events_.begin());
    events_.push_back(std::move(event));
}

void EventLog::add_change(const ChangedSetting& setting, const Settings& from, const Settings& to,
                          uint64_t step) {
    const std::string before = text_of(*setting.field, from, setting.twin),
                      after = text_of(*setting.field, to, setting.twin);
    if (move_ && move_->setting == setting && step <= move_->step + steps_of_a_move) {
        move_->step = step;
        if (after != move_->from) {
            events_.back().words = named(setting) + from_to(move_->from, after);
            return;
        }
        if (step == events_.back().step) {  // as if it had never been touched
            events_.pop_back();
            move_.reset();
            return;
        }
    }
    add({step, EventKind::setting, named(setting) + from_to(before, after)});
    move_ = Move{setting, before, step};
}

void EventLog::add_changes(const Settings& from, const Settings& to, uint64_t step) {
    const bool both = from.update_running != to.update_running && from.train_affine != to.train_affine &&
                      to.update_running == to.train_affine;
    for (const ChangedSetting& setting : changed_settings(from, to)) {
        if (setting.field == &statistics)
            add({step, EventKind::mode,
                 to.statistics == vknorm::Statistics::batch ? "Train mode: steps use batch statistics"
                                                            : "Eval mode: steps use running statistics"});
        else if (setting.field == &update_running)
            add(frozen(step, to.update_running,
                       both ? "Running statistics, gamma and beta" : "Running statistics"));
        else if (setting.field != &train_affine)
            add_change(setting, from, to, step);
        else if (!both)  // said with the running statistics
            add(frozen(step, to.train_affine, "Gamma and beta"));
    }
}

}  // namespace lab
