#include "app/experiment/studies.hpp"

#include <algorithm>
#include <chrono>

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto publishing_interval = std::chrono::milliseconds(250);

}  // namespace

void Studies::conduct(const Experiment& experiment, Form form) {
    publish(experiment, {.form = form});
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(waiting_, [&](const auto& one) { return one.first == &experiment; });
        waiting_.emplace_back(&experiment, form);
        if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
    }
    changed_.notify_one();
}

void Studies::cancel() {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    std::erase_if(views_, [](const auto& one) {
        return one.second->state == StudyView::State::waiting ||
               one.second->state == StudyView::State::running;
    });
    cancelled_ = true;
    ++revision_;
}

std::shared_ptr<const StudyView> Studies::view(const Experiment& experiment) const {
    const std::lock_guard lock(mutex_);
    const auto found = views_.find(&experiment);
    return found == views_.end() ? nullptr : found->second;
}

uint64_t Studies::revision() const {
    const std::lock_guard lock(mutex_);
    return revision_;
}

void Studies::publish(const Experiment& experiment, StudyView view) {
    const std::lock_guard lock(mutex_);
    if (cancelled_ && view.state == StudyView::State::running) return;
    view.revision = ++revision_;
    views_[&experiment] = std::make_shared<const StudyView>(std::move(view));
}

void Studies::work(const std::stop_token& stop) {
    while (true) {
        std::pair<const Experiment*, Form> next;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [&] { return !waiting_.empty(); });
            if (stop.stop_requested()) return;
            next = waiting_.front();
            waiting_.pop_front();
            cancelled_ = false;
        }
        conduct_one(*next.first, next.second, stop);
    }
}

void Studies::conduct_one(const Experiment& experiment, Form form, const std::stop_token& stop) {
    const Clock::time_point begin = Clock::now();
    StudyView view{.state = StudyView::State::running, .form = form};
    const auto wanted = [&] {
        const std::lock_guard lock(mutex_);
        // Asked for once more: it begins anew.
        return !stop.stop_requested() && !cancelled_ &&
               std::none_of(waiting_.begin(), waiting_.end(),
                            [&](const auto& one) { return one.first == &experiment; });
    };
    try {
        Study study(device_, experiment, form);
        view.seeds = study.seeds();
        Clock::time_point published{};
        while (!study.finished()) {
            if (!wanted()) return;
            study.step();
            if (!study.finished() && Clock::now() - published < publishing_interval) continue;
            study.describe();
            published = Clock::now();
            view.progress = study.progress();
            view.under_way = study.under_way();
            view.seconds = std::chrono::duration<double>(published - begin).count();
            view.trials = study.trials();
            publish(experiment, view);
        }
        view.state = StudyView::State::finished;
        view.judgement = judge(experiment, view.trials);
    } catch (const std::exception& error) {
        view.state = StudyView::State::failed;
        view.error = error.what();
    }
    if (wanted()) publish(experiment, std::move(view));
}

}  // namespace lab
