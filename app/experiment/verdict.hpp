// Whether the claim of an experiment holds, from what was measured.
#pragma once

#include <string>
#include <vector>

#include "app/experiment/experiment.hpp"

namespace lab {

/// One criterion over all trials.
struct JudgedCriterion {
    const Criterion* criterion;
    std::vector<double> seeds;  ///< what was measured, in the order of the trials
    double median;
    bool holds;  ///< the median does
};

struct Judgement {
    Verdict verdict;
    std::vector<JudgedCriterion> criteria;  ///< in the order of the criteria
    size_t seeds_that_hold;                 ///< in which all criteria do
};

/// The claim holds where every criterion does, and in part where some do. `trials` have ended; there is one.
Judgement judge(const Experiment& experiment, const std::vector<Trial>& trials);

const char* name(Verdict verdict);
/// "0.997"; "never" for what is infinite.
std::string number_text(double value);
/// "needed <= 0.3", with the sign that mathematics has for it if `pretty`.
std::string needed_text(const Bound& bound, bool pretty = false);

}  // namespace lab
