// Experiments conducted beside the run, on a thread of their own, one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "app/experiment/study.hpp"
#include "app/experiment/verdict.hpp"

namespace lab {

/// One state of a study. A new one is published rather than this one changed.
struct StudyView {
    enum class State { waiting, running, finished, failed } state = State::waiting;
    Form form = Form::full;
    double progress = 0;  ///< from 0 to 1
    double seconds = 0;   ///< that it has taken
    std::string under_way{};
    std::string error{};  ///< why it has failed
    size_t seeds = 0;     ///< in all
    std::vector<Trial> trials{};
    std::optional<Judgement> judgement{};  ///< once it is finished
    uint64_t revision = 0;                 ///< differs from that of every other state
};

/// Calls return at once and may come from any thread. The device must outlive this; destruction ends the
/// thread after the step that it is at.
class Studies {
  public:
    explicit Studies(vknorm::Device& device) : device_(device) {}

    /// To be conducted after those asked for before. The experiment must outlive this.
    void conduct(const Experiment& experiment, Form form);
    /// Ends what is under way, and forgets what waits.
    void cancel();
    /// The latest state; null where it was not asked for, or cancelled.
    std::shared_ptr<const StudyView> view(const Experiment& experiment) const;
    /// That of the latest state of any.
    uint64_t revision() const;

  private:
    void work(const std::stop_token& stop);
    void conduct_one(const Experiment& experiment, Form form, const std::stop_token& stop);
    void publish(const Experiment& experiment, StudyView view);

    vknorm::Device& device_;
    mutable std::mutex mutex_;  // guards the members before the thread
    std::condition_variable_any changed_;
    std::deque<std::pair<const Experiment*, Form>> waiting_;
    std::map<const Experiment*, std::shared_ptr<const StudyView>> views_;
    uint64_t revision_ = 0;
    bool cancelled_ = false;
    std::jthread thread_;  // last, so that it ends before what it uses; begun when it is first needed
};

}  // namespace lab
