// The training session behind the screen: a thread that trains while it is told to, obeys between two steps,
// and publishes what it sees.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/experiment/kept_runs.hpp"
#include "app/experiment/lockstep.hpp"
#include "app/experiment/moments.hpp"
#include "app/experiment/rate.hpp"
#include "app/experiment/settings_history.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/experiment/studies.hpp"
#include "app/experiment/sweeper.hpp"

namespace lab {

/// Paused at first. The device must outlive the session. Destruction ends the thread after the step,
/// evaluation or reading of data that it is at.
class Session final : public Commands {
  public:
    Session(vknorm::Device& device, const Settings& settings);

    void run() override;
    void pause() override;
    void step() override;
    void reset() override;
    void apply(const Settings& settings) override;
    void amend(const Settings& settings) override;
    void undo() override;
    void redo() override;
    void bring_back(uint64_t run) override;
    void pin(uint64_t run, bool pinned) override;
    void recompute_statistics() override;
    void conduct(const Experiment& experiment, Form form) override { studies_.conduct(experiment, form); }
    void cancel_studies() override { studies_.cancel(); }
    std::shared_ptr<const StudyView> study(const Experiment& experiment) const override {
        return studies_.view(experiment);
    }
    void begin_sweep(const SweepPlan& plan) override { sweeper_.begin(plan); }
    void stop_sweep() override { sweeper_.stop(); }
    std::shared_ptr<const SweepView> sweep() const override { return sweeper_.view(); }
    /// Differs when any study, or the sweep, has another state.
    uint64_t studies_revision() const { return studies_.revision() + sweeper_.revision(); }
    std::shared_ptr<const Snapshot> snapshot() const override;

  private:
    using Clock = std::chrono::steady_clock;
    /// Returns whether what was ordered after it may be done.
    using Order = std::function<bool()>;

    void order(Order order);
    bool ordered() const;

    // Of the thread, as are the members after published_.
    void work(const std::stop_token& stop);
    void obey(const std::deque<Order>& orders, const std::stop_token& stop);
    void take_up(const Settings& settings, bool amends);
    /// As the user's wish, which can be undone.
    void begin_run(const Settings& settings);
    /// With data that it can have; where it cannot, the present run goes on with its own.
    void change_data(const Settings& settings);
    /// The present run is put aside.
    void replace_run(const Settings& settings);
    /// What undo and redo come to.
    void restore(const SettingsHistory::State& state);
    bool set_running(bool running);
    /// Whether training may go on.
    bool step_once();
    /// At most as much training as the speed has it, and then the rest of its time waiting.
    void train_frame(const std::stop_token& stop);
    /// What a paused run shows: all of it is of the latest step.
    void measure();
    void look();
    void publish();
    /// Whether `task` ended well; otherwise the run pauses and the message says why.
    template <class Task>
    bool attempt(Task task);

    vknorm::Device& device_;
    mutable std::mutex mutex_;  // guards orders_ and published_
    std::condition_variable_any changed_;
    std::deque<Order> orders_;
    std::shared_ptr<const Snapshot> published_;

    Settings first_settings_;
    std::optional<Trainer> trainer_;  // none when the first run could not begin
    uint64_t run_ = 0;                // number of trainer_'s run
    uint64_t runs_begun_ = 0;
    KeptRuns kept_;
    /// Of trainer_'s run. Another one begins anew; so does an earlier one that is brought back: its own are
    /// gone.
    Moments moments_;
    SettingsHistory history_;
    uint64_t settings_restored_ = 0;
    std::vector<ChangedSetting> changed_settings_;  // by the latest change
    bool running_ = false;
    Severity severity_ = Severity::note;
    std::string message_;
    Clock::time_point measured_at_{};
    Clock::duration measuring_took_{};
    Rate rate_;

    Studies studies_{device_};
    Sweeper sweeper_{device_};
    std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace lab
