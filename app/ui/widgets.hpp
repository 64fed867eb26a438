// The Lab's own controls, on top of ImGui's behaviour.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "app/ui/ink.hpp"
#include "app/ui/theme.hpp"

namespace lab {

enum class Icon { none, play, pause, step, reset, sun, moon, projector };

/// A line with label and value above a slim track. With `log`, equal distances are equal ratios; `low` may be
/// 0 then. Control + click, or Enter, types a number. `shown` replaces the value's text.
bool slider(const Look& look, const char* label, float& value, float low, float high, bool log = false);
bool slider(const Look& look, const char* label, uint32_t& value, uint32_t low, uint32_t high,
            const std::string& shown);
/// A drop-down list; the closed one shows `preview`, `notes` (if any) tell about the entry under the pointer.
/// Returns whether `selected` changed.
bool choice(const Look& look, const char* id, float width, const char* preview,
            std::span<const char* const> names, int& selected, std::span<const char* const> notes = {});
/// Small words above the control that follows.
void caption(const Look& look, const char* words);
/// Buttons in a row of which one is down.
bool segments(const Look& look, const char* id, std::span<const char* const> names, int& selected);
bool check_box(const Look& look, const char* label, bool& value);
/// A heading that folds what follows; returns whether it is open. A dot of `mark` stands before the name
/// unless 0.
bool section(const Look& look, const char* name, Color mark);
/// The ground that segments lie on, and the one of them that is down.
void draw_track(const Look& look, ImDrawList& list, ImVec2 min, ImVec2 max);
void draw_raised(const Look& look, ImDrawList& list, ImVec2 min, ImVec2 max);
/// Of what stands in the toolbar.
inline constexpr float tool_height = 28;
/// A button of the toolbar, at least `least` wide; `primary` stands out.
float tool_button_width(const Look& look, const char* label, Icon icon);
bool tool_button(const Look& look, const char* id, const char* label, Icon icon, bool primary,
                 float least = 0);

/// A row of a menu or list that is open; it closes when the row is pressed, which is returned.
bool menu_row(const Look& look, const char* name, bool chosen = false);

/// Where a note stands: beside the control, or below or above it where the next control is beside.
enum class Side { beside, below, above };
/// A note shown while the pointer or the keyboard rests on the last control; it hides no other one.
void hint(const Look& look, const char* note, Side side = Side::beside);

}  // namespace lab
