// A run: twin networks trained in lock-step on the same data, step by step, and what is measured of them. No
// thread, no clock: the same calls give the same numbers.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/experiment/batches.hpp"
#include "app/experiment/data.hpp"
#include "app/experiment/events.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/experiment/twin.hpp"

namespace lab {

/// For use by one thread at a time.
class Trainer {
  public:
    /// A new run, before its first step. A batch larger than the set is all of it. With an exchange all ranks
    /// make the same calls, and each takes its share of every batch and of the test set; twins have one
    /// device then. Throws std::invalid_argument for settings out of range.
    Trainer(vknorm::Device& device, const Settings& settings, const RunData& data,
            vknorm::Exchange* exchange = nullptr);

    /// Takes up settings for which begins_new_run() is false; the run goes on, and changes after its first
    /// step are noted. Throws std::invalid_argument, with nothing changed, for settings out of range.
    void apply(const Settings& settings);

    /// One training step of all twins on one batch, and the evaluation of the test set where it is due.
    /// Throws std::invalid_argument, with nothing changed, when the step is refused. A twin that meets NaN or
    /// an infinity stays as it was before the step and sits out the rest of the run. Both are noted.
    void step();

    /// Adds to the events of the run.
    void note(Event event) { log_.add(std::move(event)); }

    /// Adds the test set's accuracy and loss after the latest step, due or not.
    void evaluate();
    /// Brings the decision boundary, or the classes of the pictures shown, up to date.
    void look();

    /// Makes the running statistics those of all examples trained on (precise batch normalization).
    void recompute_running_statistics();

    // Questions that change nothing.
    /// Accuracy of a twin on the test set; with batch statistics in batches of `batch`.
    double test_accuracy(size_t twin, vknorm::Statistics statistics, uint32_t batch);
    /// What lies along a twin's gradient of the latest step's batch.
    LookAhead look_ahead(size_t twin, std::span<const double> rates);
    /// A tensor of a twin, named as vknorm::Network::tensor_names() has it.
    std::vector<float> tensor(size_t twin, const std::string& name) { return twins_.at(twin).tensor(name); }

    /// Sets it, between two steps, as vknorm::Network::set_tensor does.
    void set_tensor(size_t twin, const std::string& name, std::span<const float> values) {
        twins_.at(twin).set_tensor(name, values);
    }

    /// Writes twin A, and how far the run is.
    void save(const std::filesystem::path& file);
    /// To be called before the first step: twin A goes on from such a file, or with the weights of another
    /// that has its tensors, while the others begin as ever. Throws vknorm::FormatError or vknorm::FileError,
    /// or std::invalid_argument where the run of the file had other examples, batches or another seed.
    void load(const std::filesystem::path& file);

    /// Those that the run goes by.
    const Settings& settings() const { return settings_; }
    const RunData& data() const { return data_; }
    uint64_t steps() const { return step_; }
    /// How many twins have diverged.
    size_t diverged() const;
    /// Whether what look() brings up to date is of the latest step.
    bool looked() const { return looked_; }
    /// Whether no twin is left to train.
    bool ended() const { return diverged() == twins_.size(); }
    const std::vector<Twin>& twins() const { return twins_; }

    /// Fills in what the run determines of a snapshot, with what there is to remark on it as message.
    void describe(Snapshot& snapshot) const;

  private:
    void refuse_step() const;
    /// Where a run is, and what that depends on, by name.
    std::map<std::string, int64_t> place() const;

    RunData data_;    // as it was made
    RunData inputs_;  // what the networks get: scaled and shifted
    Settings settings_;
    std::string batch_note_;
    bool has_timestamps_;
    PlaneGrid grid_;
    std::vector<Twin> twins_;
    Batches order_;
    std::vector<uint32_t> latest_;  // examples of the latest step
    double earlier_epochs_ = 0;     // before the batch size last changed
    uint64_t step_ = 0;
    EventLog log_;
    std::optional<uint64_t> evaluated_at_;  // step
    bool looked_ = false;                   // since anything changed
};

}  // namespace lab
