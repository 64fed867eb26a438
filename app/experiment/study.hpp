// An experiment being conducted: its runs, one after the other, for one seed after the other. No thread, no
// clock; nothing is trained but by Trainer, as everywhere in the Lab.
#pragma once

#include <optional>
#include <vector>

#include "app/experiment/experiment.hpp"
#include "app/experiment/latest_data.hpp"

namespace lab {

/// For use by one thread at a time. Device and experiment must outlive it.
class Study {
  public:
    Study(vknorm::Device& device, const Experiment& experiment, Form form);

    /// Trains one step, with the events around it. Throws as Trainer does, but for steps that are refused:
    /// they are what some experiments are about.
    void step();
    /// Whether all runs of all seeds have ended.
    bool finished() const { return seed_ == seeds_; }
    /// From 0 to 1, by steps made.
    double progress() const;
    /// What is under way: "seed 8, batch 4".
    std::string under_way() const;

    Form form() const { return form_; }
    /// How many seeds there are in all.
    size_t seeds() const { return seeds_; }
    /// Trials that have ended and, as the last one, what there is of the one under way.
    const std::vector<Trial>& trials() const { return trials_; }
    /// Brings the record of the run under way up to date; done at the end of each run.
    void describe();

  private:
    void begin_run();
    void end_run();
    void obey_events(bool all);
    void obey(const PlannedEvent& event);

    vknorm::Device& device_;
    const Experiment& experiment_;
    Form form_;
    std::vector<RunPlan> plans_;
    size_t seeds_, seed_ = 0, plan_ = 0, event_ = 0;
    uint64_t steps_before_ = 0, steps_in_all_ = 0;
    LatestData data_;
    std::optional<Trainer> run_;
    std::vector<Trial> trials_;
};

}  // namespace lab
