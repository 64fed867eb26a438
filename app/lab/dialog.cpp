#include "app/lab/dialog.hpp"

#include <cstdio>
#include <imgui_internal.h>

#include "app/ui/input.hpp"

namespace lab {

namespace {

bool went_down(Key key) {
    return ImGui::IsKeyPressed(static_cast<int>(key), true);
}

}  // namespace

bool begin_dialog(const char* id, const plot::Rect& frame) {
    ImGui::SetNextWindowPos(frame.min);
    ImGui::SetNextWindowSize({frame.width(), frame.height()});
    return ImGui::BeginPopupEx(ImGui::GetID(id), ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                                     ImGuiWindowFlags_NoSavedSettings |
                                                     ImGuiWindowFlags_NoNav);
}

bool SearchLine::draw(const Look& look, const char* prompt, float width) {
    const ImGuiID id = ImGui::GetID("##typed");
    ImGuiContext& context = *ImGui::GetCurrentContext();
    // Not in its first frame: the letter that opened it is no part of what is looked for.
    if (context.ActiveId == 0 && !ImGui::IsWindowAppearing()) context.NavActivateInputId = id;
    // Taken before ImGui's line does, which would only give up what was typed.
    if (ImGui::IsKeyPressed(static_cast<int>(Key::escape), false)) ImGui::CloseCurrentPopup();
    ImGui::SetNextItemWidth(width);
    ImGui::PushFont(look.fonts.body);
    const bool entered = ImGui::InputTextWithHint("##typed", prompt, text.data(), text.size(),
                                                  ImGuiInputTextFlags_EnterReturnsTrue);
    ImGui::PopFont();
    return entered;
}

void SearchLine::set(const char* words) {
    std::snprintf(text.data(), text.size(), "%s", words);
}

int arrows_while_typing() {
    return static_cast<int>(went_down(Key::down)) - static_cast<int>(went_down(Key::up));
}

}  // namespace lab
