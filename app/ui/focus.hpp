// Where the keyboard is. Tab goes from control to control as they are drawn, Shift + Tab back; Enter and
// Space press the one that has the keyboard, arrows move it. What is open, a list or a menu, keeps the
// keyboard to itself, and there the arrows up and down go from row to row, too. A click lets go of it.
//
// ImGui's own navigation has the arrows for itself and stops at text fields only.
#pragma once

#include <optional>
#include <vector>

#include "app/ui/theme.hpp"

namespace lab {

class Focus {
  public:
    /// After ImGui has begun a frame, and before it ends it.
    void begin_frame();
    void end_frame();

    /// Whether a control has the keyboard.
    bool active() const { return focused_.back() != 0; }
    void leave() { focused_.back() = 0; }

    /// ImGui's last item takes part in the order; draws the ring around it when it has the keyboard, which is
    /// returned.
    bool take_part(const Look& look);
    bool has(ImGuiID item) const { return focused_.back() == item && item != 0 && in_front(); }
    void give_to_last_item();
    /// Whether it has had the keyboard for so long that a note about it is welcome.
    bool rests_on(ImGuiID item) const;
    /// Whether a key went down that presses it.
    bool pressed(ImGuiID item) const;
    /// Whether Enter went down with shift, which asks for the menu of ImGui's last item.
    bool asked_for_menu() const;
    /// The middle of the control that has the keyboard, where such a menu was asked for.
    std::optional<ImVec2> menu_asked_at() const;
    /// The last item, a row of an opening list, gets the keyboard if that opened the list.
    void begin_at_last_item();

  private:
    /// Whether what is drawn now is in front of everything else that is open.
    bool in_front() const;

    std::vector<ImGuiID> focused_ = {0};  // 0: none; of the window, and of each list or menu open above it
    std::vector<ImGuiID> order_;          // in this frame, of what is in front
    ImVec2 place_{};                      // middle of the one that has the keyboard
    bool reveal_ = false;                 // it may have to be scrolled to
    double moved_at_ = 0;                 // ImGui's time
};

/// ImGui's invisible button, for the keyboard, too. Returns whether it was pressed.
bool press_area(const Look& look, const char* id, ImVec2 size);
/// Key presses and repeats of an arrow in this frame, -1 for left, 1 for right, ten times as many with shift.
int arrows_across();
/// The same for down and up.
int arrows_up();
bool home_pressed();

}  // namespace lab
