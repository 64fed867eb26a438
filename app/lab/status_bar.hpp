// The line at the bottom: what the run does or complains of, and its facts.
#pragma once

#include "app/experiment/snapshot.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// `note` is said where the run has no message; empty: nothing.
void draw_status_bar(const Look& look, const plot::Rect& frame, const Snapshot& run, const std::string& note);

}  // namespace lab
