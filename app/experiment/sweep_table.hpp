// What came of a sweep as a table, which says all that is needed to go on with it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "app/experiment/sweep.hpp"

namespace lab {

/// A line for each twin of each run that was made, and a head: the values, the seed, the twin, what came of
/// it, the steps, and the run's share string. Text with commas stands in quotes.
void write_sweep(const std::filesystem::path& file, const SweepPlan& plan, std::span<const SweepCell> cells);

/// The runs that such a file has, without their places in a plan; none where there is no file. Throws
/// vknorm::FormatError naming file and line for another one.
std::vector<SweepCell> read_sweep(const std::filesystem::path& file);

}  // namespace lab
