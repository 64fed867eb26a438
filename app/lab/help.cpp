#include "app/lab/help.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
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
    Line{"Tab", "next control or plot; Shift: the one before"},
    Line{"Enter or Space", "press it; type a slider's number"},
    Line{"Shift + Enter", "menu of a layer or a twin"},
    Line{"Arrows", "move a slider, or the step looked at; zoom"},
    Line{"Home", "fit the plot that has the keyboard"},
    Line{"Wheel", "zoom the steps of all plots"},
    Line{"Shift + wheel", "zoom the values of one plot"},
    Line{"Drag", "move"},
    Line{"Double click", "fit"},
    Line{"Click a legend", "hide or show"},
    Line{"Click a flag", "zoom to what happened there; once more: back"},
    Line{"Right click a layer", "choose its norm"},
    Line{"Right click a twin", "add a twin, or remove this one"},
    Line{"Ctrl + click a slider", "type a number"},
};

constexpr std::array notes = {
    "The test set is evaluated every 5 steps up to step 100, every 10 up to 200, every 20 up to 500, every "
    "50 up to "
    "1000, and so on: at the same steps on every machine, with and without a window.",
    "A twin that diverges stops and is marked. The others go on, or pause if you say so.",
    "A change that begins a new run keeps the one before it as a grey curve; Undo, or a click below Runs, "
    "brings it back.",
    "In a long run a line of history.csv stands for several steps: *_min and *_max are over all of them.",
};

constexpr float row = 24, key_width = 155, padding = 26, column_width = 470;

// One below the other from `at` on; returns where the next one would begin.
float draw_lines(const Look& look, ImDrawList& list, ImVec2 at, std::span<const Line> lines) {
    for (const Line& line : lines) {
        plot::text(list, look.fonts.mono, at, look.theme.grip, line.keys);
        plot::text(list, look.fonts.body, {at.x + look.px(key_width), at.y}, look.theme.text, line.meaning);
        at.y += look.px(row);
    }
    return at.y;
}

}  // namespace

void draw_help(const Look& look, ImVec2 size, std::span<const Shortcut> shortcuts, bool& open) {
    std::vector<Line> lines;
    for (const Shortcut& shortcut : shortcuts)
        if (!shortcut.keys.empty()) lines.push_back({shortcut.keys.c_str(), shortcut.meaning.c_str()});

    ImFont* const font = look.fonts.body;
    const float wrap = look.px(2 * column_width - padding);
    float notes_height = 0;
    for (const char* const note : notes)
        notes_height += font->CalcTextSizeA(font->FontSize, FLT_MAX, wrap, note).y + look.px(6);
    const float rows = look.px(row) * static_cast<float>(std::max(lines.size(), gestures.size()));
    const float inset = look.px(padding), heading = look.px(34);
    const ImVec2 box{look.px(2 * column_width) + 2 * inset,
                     2 * inset + heading + rows + look.px(8) + notes_height};
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
    const float left = corner.x + inset, top = corner.y + inset;
    plot::text(list, look.fonts.strong, {left, top}, look.theme.text, "Keys and gestures");
    draw_lines(look, list, {left, top + heading}, lines);
    draw_lines(look, list, {left + look.px(column_width), top + heading}, gestures);
    float y = top + heading + rows + look.px(8);
    for (const char* const note : notes) {
        list.AddText(font, font->FontSize, {std::round(left), std::round(y)}, look.theme.muted, note, nullptr,
                     wrap);
        y += font->CalcTextSizeA(font->FontSize, FLT_MAX, wrap, note).y + look.px(6);
    }
    if (ImGui::IsMouseClicked(ImGuiMouseButton_Left) && !ImGui::IsWindowAppearing()) open = false;
    ImGui::End();
}

}  // namespace lab
