#include "app/experiment/kept_runs.hpp"

#include <algorithm>
#include <utility>

namespace lab {

void KeptRuns::keep(uint64_t number, Trainer trainer, std::string change) {
    if (trainer.steps() < fewest_steps) return;
    auto past = std::make_shared<PastRun>();
    past->number = number;
    past->step = trainer.steps();
    past->settings = trainer.settings();
    past->change = std::move(change);
    for (const Twin& twin : trainer.twins()) {
        TwinView curves = twin.view();
        curves.distributions.clear();
        curves.channels.clear();
        curves.tensors.clear();
        curves.latest_tensors.reset();
        curves.boundary = {};
        past->twins.push_back(std::move(curves));
    }
    kept_.push_back({std::move(past), std::move(trainer)});
    forget_the_oldest();
}

bool KeptRuns::pinned(uint64_t number) const {
    return std::find(pinned_.begin(), pinned_.end(), number) != pinned_.end();
}

void KeptRuns::forget_the_oldest() {
    size_t alive = 0, loose = 0;
    for (size_t i = kept_.size(); i-- > 0;) {
        if (kept_[i].trainer && ++alive > most_alive) kept_[i].trainer.reset();
        if (!pinned(kept_[i].run->number) && ++loose > most)
            kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(i));
    }
}

std::optional<Trainer> KeptRuns::take(uint64_t number) {
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.run->number == number; });
    if (found == kept_.end() || !found->trainer) return std::nullopt;
    std::optional<Trainer> trainer = std::move(found->trainer);
    kept_.erase(found);
    return trainer;
}

const Settings* KeptRuns::settings_of(uint64_t number) const {
    for (const Kept& one : kept_)
        if (one.run->number == number) return &one.run->settings;
    return nullptr;
}

void KeptRuns::pin(uint64_t number, bool wanted) {
    if (pinned(number) == wanted) return;
    if (wanted) {
        if (pinned_.size() == most_pinned) pinned_.erase(pinned_.begin());
        pinned_.push_back(number);
    } else {
        std::erase(pinned_, number);
    }
    forget_the_oldest();
}

std::vector<KeptRun> KeptRuns::runs() const {
    std::vector<KeptRun> runs;
    for (const Kept& one : kept_) runs.push_back({one.run, pinned(one.run->number), one.trainer.has_value()});
    return runs;
}

}  // namespace lab
