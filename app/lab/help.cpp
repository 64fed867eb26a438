#include "app/lab/help.hpp"

#include <array>
#include <vector>

namespace lab {

namespace {

struct Line {
    const char *keys, *meaning;
};

// What needs no shortcut: keys that work while the help is open, too, and the mouse.
constexpr std::array gestures = {
    Line{"Esc", "back; let go of what is open"},
    Line{"?", "these lines"},
    Line{"Wheel", "zoom the steps of all plots"},
    Line{"Shift + wheel", "zoom the values of one plot"},
    Line{"Drag", "move"},
    Line{"Double click", "fit"},
    Line{"Click a legend", "hide or show"},
    Line{"Right click a layer", "choose its norm"},
    Line{"Right click a twin", "add a twin, or remove this one"},
    Line{"Ctrl + click a slider", "type a number"},
};

}  // namespace

void draw_help(const Look& look, ImVec2 size, std::span<const Shortcut> shortcuts, bool& open) {
    std::vector<Line> lines;
    for (const Shortcut& shortcut : shortcuts)
        if (!shortcut.keys.empty()) lines.push_back({shortcut.keys.c_str(), shortcut.meaning.c_str()});
    lines.insert(lines.end(), gestures.begin(), gestures.end());

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
