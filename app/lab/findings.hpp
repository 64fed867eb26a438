// The dialog that lists all that was found wrong or remarkable about a run, with what mends it.
#pragma once

#include <optional>
#include <span>

#include "app/experiment/lint.hpp"
#include "app/ui/ink.hpp"

namespace lab {

inline constexpr const char* findings_id = "findings";

/// Its lower left corner is `corner`. Returns what was chosen, if it is open.
std::optional<Fix> draw_findings(const Look& look, ImVec2 corner, std::span<const Finding> found);

/// "2 findings", "1 note", "nothing found"; and the colour of the gravest.
std::string findings_in_words(std::span<const Finding> found);
Color severity_color(const Theme& theme, Severity severity);

}  // namespace lab
