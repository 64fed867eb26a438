// What a run leaves behind: summary.json, history.csv, events.csv and distributions.csv.
//
// Each is replaced as a whole (vknorm::write_file), so that a reader never sees half a file; all throw
// vknorm::FileError naming the file that cannot be written.
#pragma once

#include <filesystem>

#include "app/experiment/snapshot.hpp"
#include "app/experiment/verdict.hpp"

namespace lab {

/// What one of the ranks that trained a run together tells of itself.
struct RankReport {
    std::string device;
    float examples_per_second = 0;  ///< its own
    float exchange_share = 0;       ///< of its training time: in exchange, waiting for others included
};

/// One JSON object; what was not measured is null, and so are 0 steps per second. "train_loss" is the strong
/// moving average of the training losses, "test_loss" is with running statistics; losses in nats, accuracies
/// from 0 to 1. The latest test is that of `run`. "inspected" is what the columns of history.csv about one
/// unit tell of; its layer counts from 1, its unit from 0, as on the screen. `command_line` started the
/// program.
void write_summary(const std::filesystem::path& file, const Snapshot& run, const vknorm::DeviceInfo& device,
                   double steps_per_second, const std::string& command_line,
                   const std::vector<RankReport>& ranks = {});

/// What an experiment found: the verdict, and of each criterion what was measured, over which seeds, and what
/// was needed; values of others; settings and last accuracies of all runs. What is infinite or was not
/// measured is null.
void write_experiment(const std::filesystem::path& file, const Experiment& experiment,
                      const std::vector<Trial>& trials, bool fast, const vknorm::DeviceInfo& device,
                      double seconds, const std::string& command_line);

/// One line for each step and twin that the histories of `run` keep; what was not measured is left empty. In
/// long runs a line stands for several steps: "steps" of training, "unit_steps" of the unit. Its values are
/// the first step's, NAME_min and NAME_max are over all of them.
void write_history(const std::filesystem::path& file, const Snapshot& run);
/// The same line by line.
struct HistoryLine {
    uint64_t step;
    size_t twin;
    std::string cells;  ///< as the file has them
};
std::string history_head();
/// From step `from` on.
std::vector<HistoryLine> history_lines(const Snapshot& run, uint64_t from = 0);
/// So many steps are one line, at most.
uint64_t steps_per_line(const Snapshot& run);
/// Says so; empty while every step has its line.
std::string merged_steps_note(const Snapshot& run);

/// One line for each of Snapshot::events: its number on the plots, step, kind, words.
void write_events(const std::filesystem::path& file, const Snapshot& run);

/// One line for each bin of each histogram of what the activations receive: step, twin, hidden layer from 1,
/// the bin's ends, and the share of the values in it. The first bin begins at -inf, the last one ends at inf.
void write_distributions(const std::filesystem::path& file, const Snapshot& run);

}  // namespace lab
