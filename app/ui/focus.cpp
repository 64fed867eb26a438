#include "app/ui/focus.hpp"

#include <algorithm>
#include <imgui_internal.h>

#include "app/ui/input.hpp"

namespace lab {

namespace {

bool down_now(Key key, bool repeat) {
    return !ImGui::GetIO().WantTextInput && ImGui::IsKeyPressed(static_cast<int>(key), repeat);
}

int arrows(Key less, Key more) {
    const int each = ImGui::GetIO().KeyShift ? 10 : 1;
    return each * (static_cast<int>(down_now(more, true)) - static_cast<int>(down_now(less, true)));
}

size_t open_lists() {
    return static_cast<size_t>(ImGui::GetCurrentContext()->OpenPopupStack.Size);
}

}  // namespace

void Focus::begin_frame() {
    focused_.resize(open_lists() + 1, 0);
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) || ImGui::IsMouseClicked(ImGuiMouseButton_Right))
        leave();
    order_.clear();
}

void Focus::end_frame() {
    if (focused_.size() != open_lists() + 1) return;  // something has just opened or closed
    int move = 0;
    if (down_now(Key::tab, true)) move = ImGui::GetIO().KeyShift ? -1 : 1;
    if (open_lists() > 0 && move == 0) move = -arrows_up();
    if (move == 0 || order_.empty()) return;
    const auto count = static_cast<ptrdiff_t>(order_.size());
    const ptrdiff_t at = std::find(order_.begin(), order_.end(), focused_.back()) - order_.begin();
    const ptrdiff_t next = at == count ? (move > 0 ? 0 : count - 1) : at + std::clamp(move, -1, 1);
    focused_.back() = order_[static_cast<size_t>((next + count) % count)];
    reveal_ = true;
    moved_at_ = ImGui::GetTime();
}

bool Focus::in_front() const {
    const size_t depth = static_cast<size_t>(ImGui::GetCurrentContext()->BeginPopupStack.Size);
    return depth == open_lists() && depth + 1 == focused_.size();
}

bool Focus::take_part(const Look& look) {
    const ImGuiContext& context = *ImGui::GetCurrentContext();
    const ImGuiID item = context.LastItemData.ID;
    if (!in_front() || item == 0) return false;
    order_.push_back(item);
    if (!has(item)) return false;
    ImGuiWindow* const window = context.CurrentWindow;
    const ImRect& rect = context.LastItemData.Rect;
    place_ = rect.GetCenter();
    if (reveal_ && window->ScrollMax.y > 0 && !window->InnerRect.Contains(rect))
        ImGui::SetScrollFromPosY(window, (rect.Min.y + rect.Max.y) / 2 - window->Pos.y, 0.5f);
    reveal_ = false;
    ImDrawList& list = *ImGui::GetForegroundDrawList();
    const float gap = look.px(2);
    list.PushClipRect({window->ClipRect.Min.x - gap, window->ClipRect.Min.y - gap},
                      {window->ClipRect.Max.x + gap, window->ClipRect.Max.y + gap});
    list.AddRect({rect.Min.x - gap, rect.Min.y - gap}, {rect.Max.x + gap, rect.Max.y + gap}, look.theme.grip,
                 look.px(7), 0, look.px(2));
    list.PopClipRect();
    return true;
}

void Focus::give_to_last_item() {
    if (in_front()) focused_.back() = ImGui::GetItemID();
}

bool Focus::rests_on(ImGuiID item) const {
    return has(item) && ImGui::GetTime() - moved_at_ >= 0.5;
}

bool Focus::pressed(ImGuiID item) const {
    return has(item) && !ImGui::GetIO().KeyShift &&
           (down_now(Key::enter, false) || down_now(key(' '), false));
}

bool Focus::asked_for_menu() const {
    return has(ImGui::GetItemID()) && menu_asked_at();
}

std::optional<ImVec2> Focus::menu_asked_at() const {
    if (!active() || !ImGui::GetIO().KeyShift || !down_now(Key::enter, false)) return {};
    return place_;
}

void Focus::begin_at_last_item() {
    const auto depth = static_cast<size_t>(ImGui::GetCurrentContext()->BeginPopupStack.Size);
    if (depth == 0 || focused_.size() < depth || focused_[depth - 1] == 0) return;
    focused_.resize(depth + 1);
    focused_.back() = ImGui::GetItemID();
}

bool press_area(const Look& look, const char* id, ImVec2 size) {
    const bool clicked = ImGui::InvisibleButton(id, size);
    return (look.focus.take_part(look) && look.focus.pressed(ImGui::GetItemID())) || clicked;
}

int arrows_across() {
    return arrows(Key::left, Key::right);
}

int arrows_up() {
    return arrows(Key::down, Key::up);
}

bool home_pressed() {
    return down_now(Key::home, false);
}

}  // namespace lab
