// The training session behind the screen: a thread that trains while it is told to, obeys between two steps,
// and publishes what it sees.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "app/experiment/lockstep.hpp"
#include "app/experiment/rate.hpp"
#include "app/experiment/snapshot.hpp"

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
    void undo() override;
    std::shared_ptr<const Snapshot> snapshot() const override;

  private:
    using Clock = std::chrono::steady_clock;

    /// What was asked for since the thread last looked; obeyed in this order.
    struct Orders {
        bool undo = false;
        std::optional<Settings> settings;
        bool reset = false;
        std::optional<bool> running;
        uint32_t steps = 0;

        bool any() const { return undo || settings || reset || running || steps > 0; }
    };

    template <class Change>
    void order(Change change);
    bool ordered() const;

    // Of the thread, as are the members after published_.
    void work(const std::stop_token& stop);
    void obey(const Orders& orders, const std::stop_token& stop);
    void begin_run(const Settings& settings);
    /// Puts the present run aside, if it has made steps enough to be missed.
    void keep_run();
    void bring_back_run();
    /// Whether training may go on.
    bool step_once();
    /// At most 1/30 s of training, and then the rest of that time waiting.
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
    Orders orders_;
    std::shared_ptr<const Snapshot> published_;

    Settings first_settings_;
    std::optional<Trainer> trainer_;  // none when the first run could not begin
    uint64_t run_ = 0;                // counts what has been shown as Snapshot::run
    std::deque<Trainer> kept_;        // earlier runs, the newest last
    bool running_ = false;
    Severity severity_ = Severity::note;
    std::string message_;
    Clock::time_point measured_at_{};
    Clock::duration measuring_took_{};
    Rate rate_;

    std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace lab
