#include "app/experiment/session.hpp"

#include <stdexcept>
#include <utility>

namespace lab {

namespace {

/// So many steps, 0 for as many as there is time for, in so long.
struct Pace {
    uint32_t steps;
    std::chrono::microseconds time;
};
Pace pace_of(Speed speed) {
    constexpr uint32_t frames_per_second = 30;
    constexpr std::chrono::microseconds second = std::chrono::seconds(1);
    const uint32_t steps = steps_per_second(speed);
    return steps > 0 && steps < frames_per_second
               ? Pace{1, second / steps}
               : Pace{steps / frames_per_second, second / frames_per_second};
}
// While running, looking may take this part of the time, so that training stays the main work.
constexpr int training_per_measuring = 4;
constexpr auto shortest_measuring_interval = std::chrono::milliseconds(100);

}  // namespace

Session::Session(vknorm::Device& device, const Settings& settings)
    : device_(device), first_settings_(settings) {
    publish();
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void Session::order(Order order) {
    {
        const std::lock_guard lock(mutex_);
        orders_.push_back(std::move(order));
    }
    changed_.notify_one();
}

void Session::run() {
    order([this] { return set_running(true); });
}

void Session::pause() {
    order([this] { return set_running(false); });
}

void Session::step() {
    order([this] { return set_running(false) && (!trainer_ || step_once()); });
}

void Session::reset() {
    order([this] {
        // Where there is no run yet, settings that follow may make one possible.
        attempt([&] { begin_run(trainer_ ? trainer_->settings() : first_settings_); });
        return true;
    });
}

void Session::apply(const Settings& settings) {
    order([this, settings] { return attempt([&] { take_up(settings, false); }); });
}

void Session::amend(const Settings& settings) {
    order([this, settings] { return attempt([&] { take_up(settings, true); }); });
}

void Session::recompute_statistics() {
    order([this] {
        if (!trainer_) return true;
        return attempt([&] { trainer_->recompute_running_statistics(); });
    });
}

void Session::undo() {
    order([this] {
        if (!history_.can_undo() || attempt([&] { restore(history_.undo()); })) return true;
        history_.redo();  // it is as it was
        return false;
    });
}

void Session::redo() {
    order([this] {
        if (!history_.can_redo() || attempt([&] { restore(history_.redo()); })) return true;
        history_.undo();
        return false;
    });
}

void Session::bring_back(uint64_t run) {
    order([this, run] {
        const Settings* const settings = kept_.settings_of(run);
        if (!settings) return true;
        history_.add({*settings, run}, false);
        return attempt([&] { restore({*settings, run}); });
    });
}

void Session::pin(uint64_t run, bool pinned) {
    order([this, run, pinned] {
        kept_.pin(run, pinned);
        return true;
    });
}

std::shared_ptr<const Snapshot> Session::snapshot() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

bool Session::ordered() const {
    const std::lock_guard lock(mutex_);
    return !orders_.empty();
}

template <class Task>
bool Session::attempt(Task task) {
    try {
        task();
        return true;
    } catch (const std::invalid_argument& refused) {
        severity_ = Severity::warning;
        message_ = refused.what();
    } catch (const std::exception& failed) {
        severity_ = Severity::error;
        message_ = failed.what();
    }
    running_ = false;
    return false;
}

void Session::work(const std::stop_token& stop) {
    if (attempt([&] { begin_run(first_settings_); })) attempt([&] { measure(); });
    publish();
    while (true) {
        std::deque<Order> orders;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [&] { return running_ || !orders_.empty(); });
            if (stop.stop_requested()) return;
            orders = std::exchange(orders_, {});
        }
        if (!orders.empty()) obey(orders, stop);
        if (running_) train_frame(stop);
        if (!running_ && !stop.stop_requested()) {
            attempt([&] { measure(); });
            publish();
        }
    }
}

void Session::obey(const std::deque<Order>& orders, const std::stop_token& stop) {
    message_.clear();
    for (const Order& order : orders)
        if (stop.stop_requested() || !order()) return;
}

bool Session::set_running(bool running) {
    const bool begins = running && !running_ && trainer_;
    running_ = running && trainer_;
    if (begins) rate_.begin(Clock::now());
    return true;
}

void Session::take_up(const Settings& settings, bool amends) {
    if (trainer_ && !same_data(trainer_->settings(), settings)) return change_data(settings);
    if (!trainer_ || begins_new_run(trainer_->settings(), settings)) return begin_run(settings);
    const Settings before = trainer_->settings();
    trainer_->apply(settings);
    if (same_experiment(before, settings)) return;
    std::vector<ChangedSetting> changed = changed_settings(before, settings);
    history_.add({trainer_->settings(), run_}, amends && changed == changed_settings_);
    changed_settings_ = std::move(changed);
}

void Session::begin_run(const Settings& settings) {
    replace_run(settings);
    message_.clear();  // of what was tried before it
    history_.add({trainer_->settings(), run_}, false);
    changed_settings_.clear();
}

void Session::change_data(const Settings& settings) {
    const bool was_running = running_;
    if (attempt([&] { begin_run(settings); })) return;
    running_ = was_running;
    ++settings_restored_;
}

void Session::replace_run(const Settings& settings) {
    const bool keep_data = trainer_ && same_data(trainer_->settings(), settings);
    Trainer trainer(device_, settings, keep_data ? trainer_->data() : make_run_data(settings));
    if (trainer_) {
        const std::string change = change_in_words(trainer_->settings(), settings);
        if (!change.empty())
            trainer.note({1, EventKind::begun,
                          "Run " + std::to_string(runs_begun_ + 1) + " began with " + change +
                              (keep_data ? "" : ", its data were made anew")});
        kept_.keep(run_, std::move(*trainer_), change);
    }
    trainer_.emplace(std::move(trainer));
    run_ = ++runs_begun_;
    moments_ = {};
}

void Session::restore(const SettingsHistory::State& state) {
    const Settings settings = with_view_of(trainer_ ? trainer_->settings() : first_settings_, state.settings);
    changed_settings_.clear();
    if (state.run != run_) {
        if (std::optional<Trainer> trainer = kept_.take(state.run)) {
            if (trainer_)
                kept_.keep(run_, std::move(*trainer_), change_in_words(trainer_->settings(), settings));
            trainer_.emplace(std::move(*trainer));
            run_ = state.run;
            moments_ = {};
            running_ = false;
        } else {
            const uint64_t asked = state.run;  // `state` is of the history
            replace_run(settings);
            history_.set_run(run_);
            severity_ = Severity::note;
            message_ = "Run " + std::to_string(asked) + " was not kept: run " + std::to_string(run_) +
                       " begins with its settings";
        }
    }
    trainer_->apply(settings);
    ++settings_restored_;
}

bool Session::step_once() {
    const size_t before = trainer_->diverged();
    if (!attempt([&] { trainer_->step(); })) return false;
    const bool stops = trainer_->ended() || trainer_->settings().pause_on_divergence;
    if (trainer_->diverged() == before || !stops) return true;
    running_ = false;
    return false;
}

void Session::train_frame(const std::stop_token& stop) {
    const Settings& settings = trainer_->settings();
    const Pace pace = pace_of(settings.speed);
    const Clock::time_point end = Clock::now() + pace.time;
    const auto more = [&](uint32_t done) {
        return (pace.steps == 0 || done < pace.steps) && Clock::now() < end && !stop.stop_requested() &&
               !ordered();
    };
    uint32_t done = 0;
    while (more(done) && step_once()) ++done;
    rate_.add(done * examples_per_step(settings), Clock::now());
    if (!running_) return;
    if (Clock::now() - measured_at_ >=
        std::max<Clock::duration>(training_per_measuring * measuring_took_, shortest_measuring_interval))
        if (!attempt([&] { look(); })) return;
    publish();
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, stop, end, [&] { return !orders_.empty(); });
}

void Session::measure() {
    if (!trainer_) return;
    trainer_->evaluate();
    look();
}

void Session::look() {
    const Clock::time_point begin = Clock::now();
    trainer_->look();
    measured_at_ = Clock::now();
    measuring_took_ = measured_at_ - begin;
}

void Session::publish() {
    auto next = std::make_shared<Snapshot>();
    next->settings = first_settings_;
    next->twins.resize(first_settings_.twins.size());
    if (trainer_) trainer_->describe(*next);
    if (!message_.empty()) {
        next->severity = severity_;
        next->message = message_;
    }
    next->run = run_;
    next->kept = kept_.runs();
    next->settings_restored = settings_restored_;
    next->can_undo = history_.can_undo();
    next->can_redo = history_.can_redo();
    next->running = running_;
    next->samples_per_second = running_ ? rate_.per_second() : 0;
    next->device = device_.info().name;
    // All of a moment is of its step: of a picture that lags behind there is none.
    if (trainer_ && trainer_->looked()) moments_.add(*next);
    next->moments = moments_.kept();
    const std::lock_guard lock(mutex_);
    next->revision = published_ ? published_->revision + 1 : 0;
    published_ = std::move(next);
}

}  // namespace lab
