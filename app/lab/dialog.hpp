// What opens above the window and has the keyboard to itself until Esc or a click beside it: help, findings,
// palette. ImGui::OpenPopup(id) opens it.
#pragma once

#include <array>

#include "app/ui/ink.hpp"

namespace lab {

/// Whether the dialog is open; then ImGui::EndPopup() must follow.
bool begin_dialog(const char* id, const plot::Rect& frame);

/// A line to type into, which has the keyboard all the time.
struct SearchLine {
    std::array<char, 96> text{};

    /// Returns whether Enter went down.
    bool draw(const Look& look, const char* prompt, float width);
    void set(const char* words);
};
/// Presses and repeats of the arrows while a line is typed, 1 for down, -1 for up.
int arrows_while_typing();

}  // namespace lab
