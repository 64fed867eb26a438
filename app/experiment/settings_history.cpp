#include "app/experiment/settings_history.hpp"

#include <utility>

namespace lab {

void SettingsHistory::add(State state, bool amends) {
    states_.resize(states_.empty() ? 0 : place_ + 1, State{});
    if (amends && states_.size() > 1)
        states_.back() = std::move(state);
    else
        states_.push_back(std::move(state));
    if (states_.size() > most) states_.erase(states_.begin());
    place_ = states_.size() - 1;
}

}  // namespace lab
