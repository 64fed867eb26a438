#include "app/lab/help.hpp"

#include <array>

namespace lab {

namespace {

struct Line {
    const char *keys, *meaning;
};

constexpr std::array<Line, 22> lines = {{
    {"Space", "run or pause"},
    {"S", "one step"},
    {"R", "begin the run again"},
    {"T", "training steps use batch or running statistics"},
    {"F", "freeze: running statistics, gamma and beta stay"},
    {"B", "next normalization of twin A"},
    {"L", "log or linear axis of the plot under the pointer"},
    {"P", "plan of a training step: parts, times, norm"},
    {"D", "dark or light"},
    {"F11", "the plot under the pointer alone"},
    {"F12", "picture of the screen"},
    {"Ctrl + E", "write tables and a picture of the run"},
    {"Ctrl + Q", "quit"},
    {"Esc", "back; let go of what is open"},
    {"?", "these lines"},
    {"Wheel", "zoom the steps of all plots"},
    {"Shift + wheel", "zoom the values of one plot"},
    {"Drag", "move"},
    {"Double click", "fit"},
    {"Click a legend", "hide or show"},
    {"Right click a layer", "choose its norm"},
    {"Ctrl + click a slider", "type a number"},
}};

}  // namespace

void draw_help(const Look& look, ImVec2 size, bool& open) {
    const float row = look.px(24), padding = look.px(26), key_width = look.px(150);
    const ImVec2 box{look.px(520), padding * 2 + look.px(34) + row * static_cast<float>(lines.size())};
    const ImVec2 corner{(size.x - box.x) / 2, (size.y - box.y) / 2};

    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::PushStyleColor(ImGuiCol_WindowBg, faded(rgb(0x0A0C10), look.theme.dark ? 0.6f : 0.35f));
    ImGui::Begin("help", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav);
    ImGui::PopStyleColor();
    if (ImGui::IsWindowAppearing()) ImGui::SetWindowFocus();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 end{corner.x + box.x, corner.y + box.y};
    list.AddRectFilled(corner, end, look.theme.panel, look.px(10));
    list.AddRect(corner, end, look.theme.control_border, look.px(10));
    plot::text(list, look.fonts.strong, {corner.x + padding, corner.y + padding}, look.theme.text,
               "Keys and gestures");
    float y = corner.y + padding + look.px(34);
    for (const Line& line : lines) {
        plot::text(list, look.fonts.mono, {corner.x + padding, y}, look.theme.grip, line.keys);
        plot::text(list, look.fonts.body, {corner.x + padding + key_width, y}, look.theme.text, line.meaning);
        y += row;
    }
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && !ImGui::IsWindowAppearing()) open = false;
    ImGui::End();
}

}  // namespace lab
