#include "app/ui/screen.hpp"

#include <algorithm>
#include <array>
#include <imgui_internal.h>

namespace lab {

Screen::Screen(float scale, ImVec2 least)
    : before_(ImGui::GetCurrentContext()),
      context_(ImGui::CreateContext()),
      scale_(scale),
      least_{least.x * scale, least.y * scale} {
    ImGui::SetCurrentContext(context_);
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.LogFilename = nullptr;
    io.ConfigWindowsMoveFromTitleBarOnly = true;
    // The second is the renderer's, which a screen need not have: full plots are more than 2^16 vertices.
    io.BackendFlags |= ImGuiBackendFlags_HasMouseCursors | ImGuiBackendFlags_RendererHasVtxOffset;
    // Not Tab: see Focus.
    static constexpr std::pair<ImGuiKey, Key> named[] = {
        {ImGuiKey_LeftArrow, Key::left},
        {ImGuiKey_RightArrow, Key::right},
        {ImGuiKey_UpArrow, Key::up},
        {ImGuiKey_DownArrow, Key::down},
        {ImGuiKey_PageUp, Key::page_up},
        {ImGuiKey_PageDown, Key::page_down},
        {ImGuiKey_Home, Key::home},
        {ImGuiKey_End, Key::end},
        {ImGuiKey_Insert, Key::insert},
        {ImGuiKey_Delete, Key::del},
        {ImGuiKey_Backspace, Key::backspace},
        {ImGuiKey_Enter, Key::enter},
        {ImGuiKey_Escape, Key::escape},
        {ImGuiKey_A, key('A')},
        {ImGuiKey_C, key('C')},
        {ImGuiKey_V, key('V')},
        {ImGuiKey_X, key('X')},
        {ImGuiKey_Y, key('Y')},
        {ImGuiKey_Z, key('Z')},
    };
    for (const auto& [imgui, ours] : named) io.KeyMap[imgui] = static_cast<int>(ours);
    fonts_ = load_fonts(std::array{scale, scale * projector_theme().type});
    set_theme(dark_theme());
}

Screen::Screen(const Screen& like, float larger)
    : Screen(like.scale_ * larger, {like.least_.x / like.scale_, like.least_.y / like.scale_}) {
    set_theme(*like.theme_);
}

Screen::~Screen() {
    ImGui::DestroyContext(context_);
    ImGui::SetCurrentContext(before_);
}

void Screen::set_theme(const Theme& theme) {
    theme_ = &theme;
    ImGui::GetIO().FontDefault = fonts().body;
    apply(theme, scale_ * theme.type);
}

void Screen::feed() {
    ImGuiIO& io = ImGui::GetIO();
    for (const InputEvent& event : input_.take_frame()) {
        switch (event.kind) {
            case InputEvent::Kind::move:
                io.MousePos = {event.x / shrinking_, event.y / shrinking_};
                break;
            case InputEvent::Kind::button:
                io.MouseDown[event.button] = event.down;
                break;
            case InputEvent::Kind::wheel:
                io.MouseWheelH += event.x;
                io.MouseWheel += event.y;
                break;
            case InputEvent::Kind::key:
                io.KeysDown[static_cast<int>(event.key)] = event.down;
                break;
            case InputEvent::Kind::text:
                io.AddInputCharacter(event.character);
                break;
            case InputEvent::Kind::focus:
                if (!event.down) {  // releases that happen elsewhere never arrive
                    std::fill(std::begin(io.MouseDown), std::end(io.MouseDown), false);
                    std::fill(std::begin(io.KeysDown), std::end(io.KeysDown), false);
                }
                break;
            case InputEvent::Kind::drop:
                dropped_.insert(dropped_.end(), event.paths.begin(), event.paths.end());
                break;
        }
    }
    io.KeyCtrl = io.KeysDown[static_cast<int>(Key::control)];
    io.KeyShift = io.KeysDown[static_cast<int>(Key::shift)];
    io.KeyAlt = io.KeysDown[static_cast<int>(Key::alt)];
}

void Screen::begin(ImVec2 size, float seconds) {
    ImGui::SetCurrentContext(context_);
    ImGuiIO& io = ImGui::GetIO();
    shrinking_ = 1;
    const ImVec2 least{least_.x * theme_->type, least_.y * theme_->type};
    if (least.x > 0) shrinking_ = std::min({shrinking_, size.x / least.x, size.y / least.y});
    io.DisplaySize = {size.x / shrinking_, size.y / shrinking_};
    io.DisplayFramebufferScale = {shrinking_, shrinking_};
    io.DeltaTime = std::clamp(seconds, 1e-4f, 0.25f);
    feed();
    plates_.clear();
    plots_.clear();
    ImGui::NewFrame();
    focus_.begin_frame();
}

Frame Screen::end() {
    focus_.end_frame();
    ImGui::Render();
    for (Plate& plate : plates_)
        for (ImVec2* const corner : {&plate.min, &plate.max})
            *corner = {corner->x * shrinking_, corner->y * shrinking_};
    return {ImGui::GetDrawData(), theme_->ground, plates_};
}

bool Screen::restless() const {
    const ImGuiIO& io = context_->IO;
    const bool held =
        std::any_of(std::begin(io.MouseDown), std::end(io.MouseDown), [](bool down) { return down; });
    const bool repeats =
        std::any_of(std::begin(io.KeysDown), std::end(io.KeysDown), [](bool down) { return down; });
    return !input_.empty() || held || repeats || io.WantTextInput;
}

namespace {
bool went_down(Key key) {
    return !ImGui::GetIO().WantTextInput && ImGui::IsKeyPressed(static_cast<int>(key), false);
}
}  // namespace

bool pressed(Key key) {
    const ImGuiIO& io = ImGui::GetIO();
    return went_down(key) && !io.KeyCtrl && !io.KeyAlt && !io.KeyShift;
}

bool pressed_with_control(Key key, bool shift) {
    const ImGuiIO& io = ImGui::GetIO();
    return went_down(key) && io.KeyCtrl && io.KeyShift == shift;
}

}  // namespace lab
