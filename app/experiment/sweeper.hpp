// A sweep made beside the run, on a thread of its own.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/experiment/sweep.hpp"

namespace lab {

/// One state of a sweep. A new one is published rather than this one changed.
struct SweepView {
    SweepPlan plan{};
    std::vector<SweepCell> cells{};
    bool running = false;
    size_t made = 0;
    double progress = 0;  ///< from 0 to 1
    double seconds = 0;   ///< since it was begun or gone on with
    std::string under_way{}, error{};
    uint64_t revision = 0;  ///< differs from that of every other state
};

/// Calls return at once, but for the step that is under way. The device must outlive this.
class Sweeper {
  public:
    explicit Sweeper(vknorm::Device& device) : device_(device) {}

    /// Ends the one under way. Runs that were made before are not made again.
    void begin(const SweepPlan& plan);
    /// What was made stays.
    void stop();
    /// The latest state; null: none was begun.
    std::shared_ptr<const SweepView> view() const;
    uint64_t revision() const;

  private:
    void work(const SweepPlan& plan, const std::vector<SweepCell>& earlier, const std::stop_token& stop);
    void publish(SweepView view);

    vknorm::Device& device_;
    mutable std::mutex mutex_;  // guards the view
    std::shared_ptr<const SweepView> view_;
    std::jthread thread_;  // last, so that it ends before what it uses
};

}  // namespace lab
