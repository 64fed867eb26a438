// The line at the bottom: what the linter found, what the run does or complains of, what can be done about
// it, and its facts.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "app/experiment/lint.hpp"
#include "app/ui/ink.hpp"
#include "app/ui/scale.hpp"

namespace lab {

struct StatusFrame {
    plot::Rect frame;
    const Snapshot& run;
    const Snapshot& then;  ///< as it was at the step looked at
    const Settings& settings;
    std::span<const Finding> found;
    std::string note;                      ///< said before what the run says; empty: nothing
    std::optional<plot::Range> zoomed_to;  ///< steps that the plots show, if not all
};

/// What was clicked.
struct StatusClicks {
    bool findings = false, see_all = false, pause_on_divergence = false, share = false;
};

StatusClicks draw_status_bar(const Look& look, const StatusFrame& status);

}  // namespace lab
