// Looks over a run for what people trip over: what was seen, why it matters, and what mends it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// A change of settings that mends what was found.
struct Fix {
    std::string label;  ///< "Batch size 32"
    Settings settings;
    bool begins_again =
        false;  ///< the run is of no use any more, even where the settings would go on with it
};

struct Finding {
    Severity severity;
    std::string what;  ///< what was seen, with numbers, in one sentence
    const char* why;   ///< in one line
    std::optional<Fix> fix{};
};

/// Why a twin's training steps are refused: it would normalize one example alone. Empty: they are not.
std::string lone_example(const Settings& settings, size_t twin);
/// All there is to say about the run, errors first, then warnings, then notes. Reads the settings, the step,
/// the training set and the twins.
std::vector<Finding> findings(const Snapshot& run);
/// The most serious error or warning among them; empty: there is none.
std::string lint(const Snapshot& run);

}  // namespace lab
