#include "app/lab/dialog.hpp"

#include <algorithm>
#include <cmath>
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

std::optional<size_t> DialogRows::draw(const Look& look, size_t count, float width,
                                       const std::function<DialogRow(size_t)>& row_at) {
    const int moved = arrows_while_typing() - static_cast<int>(std::round(ImGui::GetIO().MouseWheel));
    const auto last = static_cast<std::ptrdiff_t>(std::max<size_t>(count, 1)) - 1;
    selected = static_cast<size_t>(
        std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(selected) + moved, 0, last));
    ImDrawList& list = *ImGui::GetWindowDrawList();
    std::optional<size_t> pressed;
    const size_t first = selected < most ? 0 : selected - most + 1;
    for (size_t i = first; i < std::min(count, first + most); ++i) {
        const DialogRow row = row_at(i);
        const ImVec2 at = ImGui::GetCursorScreenPos(), size{width, look.px(height)};
        ImGui::PushID(static_cast<int>(i));
        if (ImGui::InvisibleButton("row", size)) pressed = i;
        const ImVec2 pointer = ImGui::GetIO().MouseDelta;
        if (ImGui::IsItemHovered() && (pointer.x != 0 || pointer.y != 0)) selected = i;
        ImGui::PopID();
        if (i == selected)
            list.AddRectFilled(at, {at.x + size.x, at.y + size.y}, ImGui::GetColorU32(ImGuiCol_Header),
                               look.px(5));
        const float middle = at.y + size.y / 2, small = look.fonts.small->FontSize / 2;
        plot::text(list, look.fonts.small, {at.x + look.px(8), middle - small}, look.theme.muted,
                   row.kind.c_str());
        const float left = at.x + look.px(92), inset = look.px(10);
        const std::string detail = plot::fitted(look.fonts.mono, row.detail, look.px(150));
        const float detail_width = plot::text_size(look.fonts.mono, detail.c_str()).x;
        const float right = at.x + size.x - inset - detail_width;
        const std::string name = plot::fitted(look.fonts.body, row.name, right - look.px(10) - left);
        plot::text(list, look.fonts.body, {left, middle - look.fonts.body->FontSize / 2},
                   row.greyed ? look.theme.muted : look.theme.text, name.c_str());
        plot::text(list, look.fonts.mono, {right, middle - look.fonts.mono->FontSize / 2}, look.theme.muted,
                   detail.c_str());
        ImGui::SetCursorScreenPos({at.x, at.y + size.y});
    }
    return pressed;
}

}  // namespace lab
