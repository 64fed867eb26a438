// What an experiment is: a claim of a paper or a textbook, the runs that put it to the test, and what must be
// measured for it to hold.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app/experiment/lockstep.hpp"

namespace lab {

/// How thoroughly: over three seeds, or over one and with fewer or shorter runs.
enum class Form { full, fast };

/// What happens to a run between two steps. Events of one step happen in their order, and those at or after
/// the last step in the end.
struct PlannedEvent {
    uint64_t step = 0;   ///< after so many
    std::string name{};  ///< of what it does, or of what it measures

    // One of these.
    std::function<void(Settings&)> change{};  ///< a setting, as a user would
    bool recompute = false;  ///< running statistics become those of all the examples trained on
    std::function<void(Trainer&, size_t twin)> act{};  ///< on what the twin has learnt
    std::function<double(Trainer&, size_t twin)> measure{};
};

/// Networks trained in lock-step from beginning to end. The seed is the trial's.
struct RunPlan {
    std::string name;  ///< among the runs of the experiment
    double x = 0;      ///< the value that the runs differ in, where it is a number
    Settings settings{};
    uint64_t steps = 0;
    std::vector<PlannedEvent> events{};
};

struct Measurement {
    uint64_t step;
    double value;
};

/// How a run went.
struct RunRecord {
    double x = 0;
    Snapshot run{};         ///< after its last step
    std::string refused{};  ///< why it ended before; empty: it did not
    /// By name of the event and twin.
    std::map<std::string, std::vector<std::vector<Measurement>>> measured{};
};

/// All runs of an experiment with one seed, in the order of their plans.
struct Trial {
    uint64_t seed = 0;
    std::vector<RunRecord> runs{};
};

struct Bound {
    enum class Side { at_least, at_most } side;
    double value;

    bool holds(double measured) const {
        return side == Side::at_least ? measured >= value : measured <= value;
    }
};
constexpr Bound at_least(double value) {
    return {Bound::Side::at_least, value};
}
constexpr Bound at_most(double value) {
    return {Bound::Side::at_most, value};
}

/// What must be measured for the claim to hold.
struct Criterion {
    const char* what;
    double (*measure)(const Trial&);  ///< infinite for what never happened
    Bound needed;
    const char* why;  ///< where the bound comes from; not from what was measured here
};

/// A value that somebody else found.
struct Reference {
    double x, y;
    size_t twin;
    const char* whose;
};

/// Pairs of x and y.
using Curve = std::vector<std::pair<double, double>>;

/// A plot of what was measured.
struct Figure {
    const char* title;
    enum class Axis { steps, values } x;  ///< over the steps of a run, or over what its runs differ in
    const char* x_name;
    std::vector<size_t> twins;                       ///< of which there are points
    Curve (*points)(const Trial&, size_t twin);      ///< ascending in x
    bool log = false;                                ///< of the values
    bool from_zero = false;                          ///< the axis of values begins there
    Curve (*upper)(const Trial&, size_t) = nullptr;  ///< of a band that begins at `points`
    std::vector<Reference> references{};
    const char* names[limits::max_twins] = {};  ///< of the curves; null: the twin's norm
};

enum class Verdict { holds, holds_in_part, does_not_hold };

struct Experiment {
    const char* name;    ///< on the command line
    const char* title;   ///< on the screen
    const char* claim;   ///< in one sentence
    const char* source;  ///< paper and figure, equation or section
    const char* setup;   ///< data, network, batch, rate, in a few words
    /// What there is to see, a few sentences. "[test accuracy|1]" points at the first figure.
    const char* seeing;
    std::vector<RunPlan> (*plans)(Form form);
    std::vector<Criterion> criteria;
    std::vector<Figure> figures;
    /// Otherwise than holding where reasoning says, in `seeing`, that the claim is wrong.
    Verdict expected = Verdict::holds;
};

}  // namespace lab
