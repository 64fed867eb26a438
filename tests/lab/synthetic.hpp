// A run that never happened, for tests of the Lab's screen: curves of plausible shape, made by formula.
#pragma once

#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"
#include "app/experiment/sweep.hpp"

namespace lab::testing {

/// `steps` steps of `settings`, deterministic.
std::shared_ptr<Snapshot> synthetic_run(const Settings& settings, uint64_t steps);

/// Gives `run` earlier steps to go back to, so many apart.
void remember(Snapshot& run, uint64_t every);

/// `run` as it is kept once another one has begun.
KeptRun keep(const Snapshot& run, uint64_t number, const std::string& change);

/// Remembers what the screen asked for and shows one snapshot.
class RecordedCommands : public Commands {
  public:
    explicit RecordedCommands(std::shared_ptr<Snapshot> shown) : shown_(std::move(shown)) {}

    void run() override { calls.push_back("run"); }
    void pause() override { calls.push_back("pause"); }
    void step() override { calls.push_back("step"); }
    void reset() override { calls.push_back("reset"); }
    void undo() override { calls.push_back("undo"); }
    void redo() override { calls.push_back("redo"); }
    void bring_back(uint64_t run) override { calls.push_back("bring back " + std::to_string(run)); }
    void pin(uint64_t run, bool pinned) override {
        calls.push_back((pinned ? "pin " : "unpin ") + std::to_string(run));
    }
    void conduct(const Experiment&, Form) override { calls.push_back("conduct"); }
    std::shared_ptr<const StudyView> study(const Experiment&) const override { return studied; }
    void begin_sweep(const SweepPlan& plan) override {
        calls.push_back("begin sweep");
        sweep_begun = std::make_shared<SweepPlan>(plan);
    }
    void stop_sweep() override { calls.push_back("stop sweep"); }
    std::shared_ptr<const SweepView> sweep() const override { return swept; }
    void apply(const Settings& settings) override {
        calls.push_back("apply");
        applied = settings;
    }
    std::shared_ptr<const Snapshot> snapshot() const override { return shown_; }

    Snapshot& shown() { return *shown_; }
    void show(std::shared_ptr<Snapshot> snapshot) { shown_ = std::move(snapshot); }

    std::vector<std::string> calls;
    Settings applied;
    std::shared_ptr<const StudyView> studied;  ///< of every experiment
    std::shared_ptr<const SweepPlan> sweep_begun;
    std::shared_ptr<const SweepView> swept;

  private:
    std::shared_ptr<Snapshot> shown_;
};

}  // namespace lab::testing
