// What a run leaves behind: summary.json, history.csv and distributions.csv.
//
// Each is replaced as a whole (vknorm::write_file), so that a reader never sees half a file; all throw
// vknorm::FileError naming the file that cannot be written.
#pragma once

#include <filesystem>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// One JSON object; what was not measured is null, and so are 0 steps per second. "train_loss" is the moving
/// average of the training losses, "test_loss" is with running statistics; losses in nats, accuracies from 0
/// to 1. The latest test is that of `run`.
void write_summary(const std::filesystem::path& file, const Snapshot& run, const vknorm::DeviceInfo& device,
                   double steps_per_second);

/// One line for each step and twin that the histories of `run` keep; what was not measured is left empty.
void write_history(const std::filesystem::path& file, const Snapshot& run);

/// One line for each bin of each histogram of what the activations receive: step, twin, hidden layer from 1,
/// the bin's ends, and the share of the values in it; the outer bins hold what lies beyond.
void write_distributions(const std::filesystem::path& file, const Snapshot& run);

}  // namespace lab
