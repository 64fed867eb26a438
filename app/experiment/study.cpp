#include "app/experiment/study.hpp"

#include <stdexcept>
#include <utility>

namespace lab {

namespace {

constexpr uint64_t first_seed = 7;

}  // namespace

Study::Study(vknorm::Device& device, const Experiment& experiment, Form form)
    : device_(device),
      experiment_(experiment),
      form_(form),
      plans_(experiment.plans(form)),
      seeds_(form == Form::full ? 3 : 1) {
    for (const RunPlan& plan : plans_) steps_in_all_ += plan.steps;
    steps_in_all_ *= seeds_;
}

void Study::begin_run() {
    if (plan_ == 0) {
        // What events of a plan share is of one trial.
        plans_ = experiment_.plans(form_);
        trials_.push_back({.seed = first_seed + seed_});
    }
    Settings settings = plans_[plan_].settings;
    settings.seed = first_seed + seed_;
    run_.emplace(device_, settings, data_.of(settings));
    event_ = 0;
    trials_.back().runs.push_back({.x = plans_[plan_].x});
    obey_events(false);
}

void Study::step() {
    if (finished()) return;
    if (!run_) begin_run();
    if (run_->steps() < plans_[plan_].steps && !run_->ended()) {
        try {
            run_->step();
        } catch (const std::invalid_argument& refused) {
            trials_.back().runs.back().refused = refused.what();
            return end_run();
        }
        obey_events(false);
    }
    if (run_->steps() >= plans_[plan_].steps || run_->ended()) end_run();
}

void Study::obey_events(bool all) {
    const std::vector<PlannedEvent>& events = plans_[plan_].events;
    while (event_ < events.size() && (all || events[event_].step <= run_->steps())) obey(events[event_++]);
}

void Study::obey(const PlannedEvent& event) {
    if (event.change) {
        Settings settings = run_->settings();
        event.change(settings);
        run_->apply(settings);
    }
    if (event.recompute) run_->recompute_running_statistics();
    const size_t twins = run_->twins().size();
    for (size_t twin = 0; twin < twins; ++twin) {
        if (run_->twins()[twin].diverged()) continue;
        if (event.act) event.act(*run_, twin);
        if (!event.measure) continue;
        auto& measured = trials_.back().runs.back().measured[event.name];
        measured.resize(twins);
        measured[twin].push_back({run_->steps(), event.measure(*run_, twin)});
    }
}

void Study::end_run() {
    if (trials_.back().runs.back().refused.empty()) obey_events(true);
    run_->evaluate();
    describe();
    run_.reset();
    steps_before_ += plans_[plan_].steps;
    if (++plan_ < plans_.size()) return;
    plan_ = 0;
    ++seed_;
}

void Study::describe() {
    if (run_) run_->describe(trials_.back().runs.back().run);
}

double Study::progress() const {
    const uint64_t made = steps_before_ + (run_ ? run_->steps() : 0);
    return static_cast<double>(made) / static_cast<double>(steps_in_all_);
}

std::string Study::under_way() const {
    if (finished()) return "";
    return "seed " + std::to_string(first_seed + seed_) + ", " + plans_[plan_].name;
}

}  // namespace lab
