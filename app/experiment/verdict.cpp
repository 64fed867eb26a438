#include "app/experiment/verdict.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab {

namespace {

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end(), [](double a, double b) {
        return std::isnan(b) ? !std::isnan(a) : a < b;  // what is not known comes last
    });
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

Judgement judge(const Experiment& experiment, const std::vector<Trial>& trials) {
    Judgement judgement{Verdict::does_not_hold, {}, 0};
    for (const Criterion& criterion : experiment.criteria) {
        JudgedCriterion judged{&criterion, {}, 0, false};
        for (const Trial& trial : trials) judged.seeds.push_back(criterion.measure(trial));
        judged.median = median_of(judged.seeds);
        judged.holds = criterion.needed.holds(judged.median);
        judgement.criteria.push_back(std::move(judged));
    }
    const auto held = std::count_if(judgement.criteria.begin(), judgement.criteria.end(),
                                    [](const JudgedCriterion& judged) { return judged.holds; });
    if (held == static_cast<ptrdiff_t>(judgement.criteria.size()))
        judgement.verdict = Verdict::holds;
    else if (held > 0)
        judgement.verdict = Verdict::holds_in_part;
    for (size_t i = 0; i < trials.size(); ++i)
        judgement.seeds_that_hold += std::all_of(
            judgement.criteria.begin(), judgement.criteria.end(),
            [&](const JudgedCriterion& judged) { return judged.criterion->needed.holds(judged.seeds[i]); });
    return judgement;
}

const char* name(Verdict verdict) {
    switch (verdict) {
        case Verdict::holds:
            return "holds";
        case Verdict::holds_in_part:
            return "holds in part";
        case Verdict::does_not_hold:
            return "does not hold";
    }
    return "";
}

std::string number_text(double value) {
    if (std::isnan(value)) return "not measured";
    if (std::isinf(value)) return value > 0 ? "never" : "-inf";
    char text[32];
    const double size = std::abs(value);
    const char* const format = value == std::round(value) && size < 1e6 ? "%.0f"
                               : size >= 100                            ? "%.0f"
                               : size >= 10                             ? "%.1f"
                               : size >= 0.1                            ? "%.3f"
                               : size >= 0.001                          ? "%.4f"
                                                                        : "%.1e";
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string needed_text(const Bound& bound, bool pretty) {
    const bool least = bound.side == Bound::Side::at_least;
    const char* const sign = pretty ? (least ? "\xE2\x89\xA5" : "\xE2\x89\xA4") : (least ? ">=" : "<=");
    char value[32];
    std::snprintf(value, sizeof value, "%g", bound.value);
    return std::string("needed ") + sign + " " + value;
}

}  // namespace lab
