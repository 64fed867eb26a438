// A sweep: the same run again and again, with other values of one setting or two and with other seeds, and
// what came of each. No thread, no clock; nothing is trained but by Trainer.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/experiment/latest_data.hpp"
#include "app/experiment/lockstep.hpp"

namespace lab {

/// A setting, and what it is set to, as the command line takes it.
struct SweepAxis {
    const Field* field = nullptr;
    size_t twin = 0;  ///< whose it is, if it is one of a twin
    std::vector<std::string> values{};
};
/// "lr=0.01/0.1/1", "norm-b=batch/layer": a setting as the command line names it, and values. One of all
/// twins, such as groups, is set for all. Throws Unfit, also for a value that `base` cannot have.
SweepAxis read_axis(const std::string& text, const Settings& base);
std::string text_of(const SweepAxis& axis);
/// Value `index` as a number: of hidden layers how many there are, of words their place in the list.
double number_of(const SweepAxis& axis, size_t index);

struct SweepPlan {
    Settings base{};  ///< its seed is the first one
    SweepAxis along{};
    std::optional<SweepAxis> across{};  ///< none: nothing else varies
    uint32_t seeds = 3;
    uint64_t steps = 600;
};

/// Of one twin.
struct SweepOutcome {
    /// Of the test set, with running statistics; that of guessing where the twin diverged.
    double accuracy = std::numeric_limits<double>::quiet_NaN();
    double loss = std::numeric_limits<double>::quiet_NaN();  ///< of training, lightly smoothed
    uint64_t diverged_at = 0;                                ///< step; 0: it did not
};

/// One run of a sweep.
struct SweepCell {
    size_t along = 0, across = 0;  ///< indexes of values
    uint64_t seed = 0, steps = 0;
    std::string run{};                  ///< its settings, as share_string() has them
    std::vector<SweepOutcome> twins{};  ///< empty: it was not made
    std::string refused{};              ///< why it cannot be made; empty: it can, or was not tried

    bool made() const { return !twins.empty() || !refused.empty(); }
    bool is_same_run(const SweepCell& other) const {
        return !run.empty() && run == other.run && steps == other.steps;
    }
};

/// For use by one thread at a time. The device must outlive it.
class Sweep {
  public:
    /// What came of cells of `earlier` that are the same run is taken from them.
    Sweep(vknorm::Device& device, const SweepPlan& plan, std::span<const SweepCell> earlier = {});

    /// Trains one step.
    void step();
    bool finished() const { return next_ == cells_.size(); }
    size_t made() const;
    /// From 0 to 1, by runs, and the steps of the one under way.
    double progress() const;
    /// "batch 4, lr 0.1, seed 7"; empty once it is finished.
    std::string under_way() const;
    /// All of them, seed by seed, so that there is a whole picture early.
    const std::vector<SweepCell>& cells() const { return cells_; }
    const SweepPlan& plan() const { return plan_; }

  private:
    Settings settings_of(const SweepCell& cell) const;
    void end_run();
    /// To the first cell from `next_` on that was not made.
    void skip_made();

    vknorm::Device& device_;
    SweepPlan plan_;
    std::vector<SweepCell> cells_;
    size_t next_ = 0;
    LatestData data_;
    std::optional<Trainer> run_;
};

}  // namespace lab
