#include "app/experiment/measures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lab {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

const std::vector<Measurement>* measurements(const RunRecord& run, const std::string& name, size_t twin) {
    const auto found = run.measured.find(name);
    if (found == run.measured.end() || twin >= found->second.size() || found->second[twin].empty())
        return nullptr;
    return &found->second[twin];
}

bool there(const RunRecord& run, size_t twin) {
    return twin < run.run.twins.size();
}

/// What a twin recorded, in the order of steps.
template <class History, class Value>
Curve curve_of(const RunRecord& run, size_t twin, History TwinView::*history, Value value) {
    Curve points;
    if (there(run, twin))
        for (const auto& entry : run.run.twins[twin].*history)
            points.emplace_back(entry.step, value(entry.value));
    return points;
}

}  // namespace

double accuracy(const TwinView& view, uint32_t classes) {
    if (view.divergence) return 1.0 / classes;
    return view.test.empty() ? 0 : static_cast<double>(view.test.back().value.accuracy);
}

double accuracy(const RunRecord& run, size_t twin) {
    return there(run, twin) ? accuracy(run.run.twins[twin], run.run.train->classes) : 0;
}

double step_reaching(const RunRecord& run, size_t twin, double accuracy) {
    if (!there(run, twin)) return never;
    for (const auto& entry : run.run.twins[twin].test)
        if (static_cast<double>(entry.value.accuracy) >= accuracy) return static_cast<double>(entry.step);
    return never;
}

double measured(const RunRecord& run, const std::string& name, size_t twin) {
    const auto* const found = measurements(run, name, twin);
    return found ? found->back().value : unknown;
}

double mean_measured(const RunRecord& run, const std::string& name, size_t twin) {
    const auto* const found = measurements(run, name, twin);
    if (!found) return unknown;
    double sum = 0;
    for (const Measurement& one : *found) sum += one.value;
    return sum / static_cast<double>(found->size());
}

const RunRecord& run_at(const Trial& trial, double x) {
    for (const RunRecord& run : trial.runs)
        if (std::abs(run.x - x) <= 1e-6 * std::abs(x)) return run;
    return trial.runs.back();
}

double worst_accuracy(const Trial& trial, size_t twin) {
    double worst = 1;
    for (const RunRecord& run : trial.runs) worst = std::min(worst, accuracy(run, twin));
    return worst;
}

double range_reaching(const Trial& trial, size_t twin, double wanted) {
    double low = never, high = 0;
    for (const RunRecord& run : trial.runs) {
        if (accuracy(run, twin) < wanted) continue;
        low = std::min(low, run.x);
        high = std::max(high, run.x);
    }
    return high == 0 ? 0 : high / low;
}

double runs_reaching(const Trial& trial, size_t twin, double wanted) {
    return static_cast<double>(std::count_if(trial.runs.begin(), trial.runs.end(), [&](const RunRecord& run) {
        return accuracy(run, twin) >= wanted;
    }));
}

double loss_difference(const RunRecord& a, size_t twin_a, const RunRecord& b, size_t twin_b, uint64_t steps) {
    if (!there(a, twin_a) || !there(b, twin_b)) return unknown;
    const auto &left = a.run.twins[twin_a].training, &right = b.run.twins[twin_b].training;
    double greatest = 0;
    for (size_t i = 0; i < std::min({left.size(), right.size(), static_cast<size_t>(steps)}); ++i) {
        const auto x = static_cast<double>(left[i].value.loss), y = static_cast<double>(right[i].value.loss);
        greatest = std::max(greatest, std::abs(x - y) / std::max(x, y));
    }
    return greatest;
}

double middle_width(const RunRecord& run, size_t twin) {
    return mean(run, twin, &UnitRow::percentile85) - mean(run, twin, &UnitRow::percentile15);
}

double drift_over_spread(const RunRecord& run, size_t twin) {
    const Curve median = unit_curve(run, twin, &UnitRow::percentile50);
    if (median.size() < 2) return unknown;
    // The first and the last tenth: a single batch is noisy.
    const size_t tenth = std::max<size_t>(1, median.size() / 10);
    const auto part_mean = [&](auto begin, auto end) {
        double sum = 0;
        for (auto point = begin; point != end; ++point) sum += point->second;
        return sum / static_cast<double>(end - begin);
    };
    const auto count = static_cast<ptrdiff_t>(tenth);
    const double first = part_mean(median.begin(), median.begin() + count),
                 last = part_mean(median.end() - count, median.end());
    return std::abs(last - first) / middle_width(run, twin);
}

double mean(const RunRecord& run, size_t twin, float UnitRow::*column) {
    const Curve points = unit_curve(run, twin, column);
    double sum = 0;
    for (const auto& [step, value] : points) sum += value;
    return points.empty() ? unknown : sum / static_cast<double>(points.size());
}

double deviation(const RunRecord& run, size_t twin, float UnitRow::*column) {
    const Curve points = unit_curve(run, twin, column);
    if (points.size() < 2) return unknown;
    const double center = mean(run, twin, column);
    double squares = 0;
    for (const auto& [step, value] : points) squares += (value - center) * (value - center);
    return std::sqrt(squares / static_cast<double>(points.size() - 1));
}

Curve accuracy_curve(const RunRecord& run, size_t twin) {
    return curve_of(run, twin, &TwinView::test, [](const auto& test) { return test.accuracy; });
}

Curve loss_curve(const RunRecord& run, size_t twin) {
    return curve_of(run, twin, &TwinView::training,
                    [](const auto& training) { return training.lightly_smoothed_loss; });
}

Curve unit_curve(const RunRecord& run, size_t twin, float UnitRow::*column) {
    return curve_of(run, twin, &TwinView::unit, [&](const UnitRow& row) { return row.*column; });
}

Curve measured_curve(const RunRecord& run, const std::string& name, size_t twin) {
    Curve points;
    if (const auto* const found = measurements(run, name, twin))
        for (const Measurement& one : *found) points.emplace_back(one.step, one.value);
    return points;
}

Curve accuracy_over_runs(const Trial& trial, size_t twin) {
    return over_runs(trial, [&](const RunRecord& run) { return accuracy(run, twin); });
}

}  // namespace lab
