// What opens above the window and has the keyboard to itself until Esc or a click beside it: help, findings,
// palette, data to open. ImGui::OpenPopup(id) opens it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "app/ui/ink.hpp"

namespace lab {

/// Whether the dialog is open; then ImGui::EndPopup() must follow.
bool begin_dialog(const char* id, const plot::Rect& frame);

/// A line to type into, which has the keyboard all the time.
struct SearchLine {
    std::array<char, 1024> text{};

    /// Returns whether Enter went down.
    bool draw(const Look& look, const char* prompt, float width);
    void set(const char* words);
};
/// Presses and repeats of the arrows while a line is typed, 1 for down, -1 for up.
int arrows_while_typing();

/// A row of a list below such a line.
struct DialogRow {
    std::string kind, name, detail;
    bool greyed = false;
};
/// Rows of which the arrows, the wheel and the pointer select one, which is in sight.
struct DialogRows {
    static constexpr float height = 28;
    static constexpr size_t most = 14;  ///< in sight
    size_t selected = 0;

    /// Draws those in sight, which alone are asked for, `width` wide. Returns which one was clicked.
    std::optional<size_t> draw(const Look& look, size_t count, float width,
                               const std::function<DialogRow(size_t)>& row_at);
};

}  // namespace lab
