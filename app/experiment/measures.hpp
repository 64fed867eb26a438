// What experiments measure of runs, for their tables.
#pragma once

#include <string>

#include "app/experiment/experiment.hpp"

namespace lab {

/// The latest accuracy on the test set, with running statistics; that of guessing where the twin has
/// diverged, and 0 where nothing was tested.
double accuracy(const TwinView& view, uint32_t classes);
double accuracy(const RunRecord& run, size_t twin);
/// The first step at which that was reached; infinite: never.
double step_reaching(const RunRecord& run, size_t twin, double accuracy);
/// The latest measurement of that name; NaN where there is none.
double measured(const RunRecord& run, const std::string& name, size_t twin);
double mean_measured(const RunRecord& run, const std::string& name, size_t twin);
/// The run of that value, the last one where there is none.
const RunRecord& run_at(const Trial& trial, double x);

/// Of all runs.
double worst_accuracy(const Trial& trial, size_t twin);
/// The largest value at which a twin reaches an accuracy, divided by the smallest; 0: it never does.
double range_reaching(const Trial& trial, size_t twin, double accuracy);
/// How many runs reach it.
double runs_reaching(const Trial& trial, size_t twin, double accuracy);

/// The greatest distance between the training losses of two twins of two runs, relative to the losses, over
/// the first `steps`.
double loss_difference(const RunRecord& a, size_t twin_a, const RunRecord& b, size_t twin_b, uint64_t steps);

/// How wide the middle 70 % of what the activation of the inspected unit receives are, over the run.
double middle_width(const RunRecord& run, size_t twin);
/// How far the median of the inspected unit's input went over the run, in units of how wide its middle 70 %
/// were.
double drift_over_spread(const RunRecord& run, size_t twin);
/// The standard deviation over the steps of that column, and its mean.
double deviation(const RunRecord& run, size_t twin, float UnitRow::*column);
double mean(const RunRecord& run, size_t twin, float UnitRow::*column);

// Points of figures.
Curve accuracy_curve(const RunRecord& run, size_t twin);
Curve loss_curve(const RunRecord& run, size_t twin);
Curve unit_curve(const RunRecord& run, size_t twin, float UnitRow::*column);
Curve measured_curve(const RunRecord& run, const std::string& name, size_t twin);
/// One point for each run.
template <class Value>
Curve over_runs(const Trial& trial, Value value) {
    Curve points;
    for (const RunRecord& run : trial.runs) points.emplace_back(run.x, value(run));
    return points;
}
Curve accuracy_over_runs(const Trial& trial, size_t twin);

}  // namespace lab
