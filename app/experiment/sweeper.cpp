#include "app/experiment/sweeper.hpp"

#include <chrono>

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto publishing_interval = std::chrono::milliseconds(250);

}  // namespace

void Sweeper::begin(const SweepPlan& plan) {
    stop();
    std::vector<SweepCell> earlier;
    if (const auto before = view()) earlier = before->cells;
    publish({.plan = plan, .running = true});
    thread_ = std::jthread([this, plan, earlier](const std::stop_token& stop) { work(plan, earlier, stop); });
}

void Sweeper::stop() {
    thread_ = {};  // which asks it to stop, and waits
}

std::shared_ptr<const SweepView> Sweeper::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

uint64_t Sweeper::revision() const {
    const std::lock_guard lock(mutex_);
    return view_ ? view_->revision : 0;
}

void Sweeper::publish(SweepView view) {
    const std::lock_guard lock(mutex_);
    view.revision = view_ ? view_->revision + 1 : 1;
    view_ = std::make_shared<const SweepView>(std::move(view));
}

void Sweeper::work(const SweepPlan& plan, const std::vector<SweepCell>& earlier,
                   const std::stop_token& stop) {
    const Clock::time_point begin = Clock::now();
    SweepView view{.plan = plan, .running = true};
    try {
        Sweep sweep(device_, plan, earlier);
        const auto show = [&] {
            view.cells = sweep.cells();
            view.made = sweep.made();
            view.progress = sweep.progress();
            view.under_way = sweep.under_way();
            view.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
            publish(view);
        };
        show();
        Clock::time_point shown = Clock::now();
        while (!sweep.finished() && !stop.stop_requested()) {
            sweep.step();
            if (Clock::now() - shown < publishing_interval) continue;
            show();
            shown = Clock::now();
        }
        view.running = false;
        show();
    } catch (const std::exception& error) {
        view.running = false;
        view.error = error.what();
        publish(view);
    }
}

}  // namespace lab
