// Every experiment. To add one: an entry in a table of experiments/.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/experiment/experiment.hpp"

namespace lab {

/// In the order of the gallery.
std::span<const Experiment> experiments();
/// Null where none has that name.
const Experiment* find_experiment(const std::string& name);

// The tables.
std::vector<Experiment> reason_experiments();
std::vector<Experiment> training_experiments();
std::vector<Experiment> batch_experiments();
std::vector<Experiment> statistics_experiments();

}  // namespace lab
