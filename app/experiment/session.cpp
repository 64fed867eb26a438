#include "app/experiment/session.hpp"

#include <stdexcept>
#include <utility>

namespace lab {

namespace {

constexpr auto frame = std::chrono::microseconds(33'333);
// While running, looking may take this part of the time, so that training stays the main work.
constexpr int training_per_measuring = 4;
constexpr auto shortest_measuring_interval = std::chrono::milliseconds(100);
// Of a run that is put aside; and how many there are, each with its networks on the device.
constexpr uint64_t fewest_steps_kept = 20;
constexpr size_t most_runs_kept = 3;

}  // namespace

Session::Session(vknorm::Device& device, const Settings& settings)
    : device_(device), first_settings_(settings) {
    publish();
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

template <class Change>
void Session::order(Change change) {
    {
        const std::lock_guard lock(mutex_);
        change(orders_);
    }
    changed_.notify_one();
}

void Session::run() {
    order([](Orders& orders) { orders.running = true, orders.steps = 0; });
}

void Session::pause() {
    order([](Orders& orders) { orders.running = false, orders.steps = 0; });
}

void Session::step() {
    order([](Orders& orders) { orders.running = false, ++orders.steps; });
}

void Session::reset() {
    order([](Orders& orders) { orders.reset = true, orders.steps = 0; });
}

void Session::apply(const Settings& settings) {
    order([&](Orders& orders) { orders.settings = settings; });
}

// What was ordered before it is no longer wanted.
void Session::undo() {
    order([](Orders& orders) { orders = {.undo = true}; });
}

std::shared_ptr<const Snapshot> Session::snapshot() const {
    const std::lock_guard lock(mutex_);
    return published_;
}

bool Session::ordered() const {
    const std::lock_guard lock(mutex_);
    return orders_.any();
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
        Orders orders;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [&] { return running_ || orders_.any(); });
            if (stop.stop_requested()) return;
            orders = std::exchange(orders_, {});
        }
        if (orders.any()) obey(orders, stop);
        if (running_) train_frame(stop);
        if (!running_ && !stop.stop_requested()) {
            attempt([&] { measure(); });
            publish();
        }
    }
}

void Session::obey(const Orders& orders, const std::stop_token& stop) {
    message_.clear();
    const bool was_running = running_;
    if (orders.undo) bring_back_run();
    if (orders.settings && !attempt([&] {
            if (!trainer_ || begins_new_run(trainer_->settings(), *orders.settings))
                begin_run(*orders.settings);
            else
                trainer_->apply(*orders.settings);
        }))
        return;
    if (orders.reset && !attempt([&] { begin_run(trainer_ ? trainer_->settings() : first_settings_); }))
        return;
    if (orders.running) running_ = *orders.running && trainer_;
    if (running_ && !was_running) rate_.begin(Clock::now());
    for (uint32_t i = 0; i < orders.steps && trainer_ && !stop.stop_requested(); ++i)
        if (!step_once()) return;
}

void Session::begin_run(const Settings& settings) {
    const bool keep_data = trainer_ && same_data(trainer_->settings(), settings);
    Trainer trainer(device_, settings, keep_data ? trainer_->data() : make_run_data(settings));
    keep_run();
    trainer_.emplace(std::move(trainer));
    ++run_;
}

void Session::keep_run() {
    if (!trainer_ || trainer_->steps() < fewest_steps_kept) return;
    if (kept_.size() == most_runs_kept) kept_.pop_front();
    kept_.push_back(std::move(*trainer_));
}

void Session::bring_back_run() {
    if (kept_.empty()) return;
    trainer_.emplace(std::move(kept_.back()));
    kept_.pop_back();
    ++run_;
    running_ = false;
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
    const Clock::time_point end = Clock::now() + frame;
    const Settings& settings = trainer_->settings();
    const auto more = [&](uint32_t done) {
        return (settings.steps_per_frame == 0 || done < settings.steps_per_frame) && Clock::now() < end &&
               !stop.stop_requested() && !ordered();
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
    changed_.wait_until(lock, stop, end, [&] { return orders_.any(); });
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
    if (!kept_.empty()) next->kept = KeptRun{kept_.back().steps(), kept_.back().settings()};
    next->running = running_;
    next->samples_per_second = running_ ? rate_.per_second() : 0;
    next->device = device_.info().name;
    const std::lock_guard lock(mutex_);
    next->revision = published_ ? published_->revision + 1 : 0;
    published_ = std::move(next);
}

}  // namespace lab
