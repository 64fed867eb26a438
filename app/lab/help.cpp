#include "app/lab/help.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string_view>
#include <vector>

#include "app/lab/explanations.hpp"
#include "app/lab/match.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

struct Line {
    const char *keys, *meaning;
};

// What needs no shortcut: keys that work in dialogs, too, and the mouse.
constexpr std::array gestures = {
    Line{"Esc", "back; let go of what is open"},
    Line{"Tab", "next control or plot; Shift: the one before"},
    Line{"Enter or Space", "press it; type a slider's number"},
    Line{"Shift + Enter", "menu of a layer or a twin"},
    Line{"Arrows", "move a slider, or the step looked at; zoom"},
    Line{"Home", "fit the plot that has the keyboard"},
    Line{"Wheel", "zoom the steps of all plots"},
    Line{"Shift + wheel", "zoom the values of one plot"},
    Line{"Drag", "move"},
    Line{"Double click", "fit"},
    Line{"Drop a file or folder", "open it as the run's data"},
    Line{"Rest on a control", "what it is and why it matters"},
    Line{"Rest on an i", "formula and reason of a plot"},
    Line{"Click a legend", "hide or show"},
    Line{"Click a flag", "zoom to what happened there; once more: back"},
    Line{"Right click a layer", "choose its norm"},
    Line{"Right click a twin", "add a twin, or remove this one"},
    Line{"Ctrl + click a slider", "type a number"},
};

constexpr std::array notes = {
    "The test set is evaluated every 5 steps up to step 100, every 10 up to 200, every 20 up to 500, every "
    "50 up to 1000, and so on: at the same steps on every machine, with and without a window.",
    "A twin that diverges stops and is marked. The others go on, or pause if you say so.",
    "A change that begins a new run keeps the one before it as a grey curve; Undo, or a click below Runs, "
    "brings it back.",
    "In a long run a line of history.csv stands for several steps: *_min and *_max are over all of them.",
};

constexpr float row = 22, key_width = 155, padding = 26, column_width = 470, heading = 44, note_gap = 6;
constexpr float term_width = 210, least_height = 560;  // of the glossary

// One below the other from `at` on.
void draw_lines(const Look& look, ImDrawList& list, ImVec2 at, std::span<const Line> lines) {
    for (const Line& line : lines) {
        plot::text(list, look.fonts.mono, at, look.theme.grip, line.keys);
        plot::text(list, look.fonts.body, {at.x + look.px(key_width), at.y}, look.theme.text, line.meaning);
        at.y += look.px(row);
    }
}

std::vector<Line> lines_of(std::span<const Shortcut> shortcuts) {
    std::vector<Line> lines;
    for (const Shortcut& shortcut : shortcuts) {
        const bool of_tab =
            shortcut.keys.size() == 1 && std::isdigit(static_cast<unsigned char>(shortcut.keys[0]));
        if (of_tab && shortcut.keys == "1") lines.push_back({"1 to 9", "show the tab of that place"});
        if (!of_tab && !shortcut.keys.empty())
            lines.push_back({shortcut.keys.c_str(), shortcut.meaning.c_str()});
    }
    return lines;
}

bool contains(std::string_view words, std::string_view typed) {
    return words.find(typed) != std::string_view::npos;
}

bool is_looked_for(const Explanation& row_of, const char* typed) {
    return match(typed, row_of.name).has_value() ||
           (std::string_view(typed).size() > 2 && contains(row_of.why, typed));
}

// Returns the height.
float draw_term(const Look& look, ImDrawList& list, ImVec2 at, float width, const Explanation& term) {
    const WrappedText why{look.fonts.body, width - look.px(term_width)};
    plot::text(list, look.fonts.strong, at, look.theme.text, term.name);
    const float left = at.x + look.px(term_width);
    float y = at.y;
    if (*term.formula != '\0') {
        draw_formula(look, list, look.fonts.body, {left, y}, look.theme.grip, term.formula);
        y += look.px(row);
    }
    y += why.draw(list, {left, y}, look.theme.text, term.why);
    return y - at.y + look.px(14);
}

}  // namespace

void Help::turn_to_glossary(const char* name) {
    glossary_ = true;
    search_.set(name);
}

void Help::draw_glossary(const Look& look, float width, float height) {
    const float left = ImGui::GetCursorPosX();
    search_.draw(look, "Find a word: twin, running, inv_std", width);
    ImGui::Dummy({0, look.px(6)});
    ImGui::SetCursorPosX(left);
    ImGui::BeginChild("terms", {width, height});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    const float inner = width - look.px(14);  // beside the scroll bar
    float y = begin.y;
    for (const Explanation& term : explanations)
        if (is_looked_for(term, search_.text.data())) y += draw_term(look, list, {begin.x, y}, inner, term);
    if (y == begin.y) plot::text(list, look.fonts.body, begin, look.theme.muted, "No such word here");
    ImGui::Dummy({inner, y - begin.y});
    ImGui::SetScrollY(ImGui::GetScrollY() + static_cast<float>(arrows_while_typing()) * look.px(3 * row));
    ImGui::EndChild();
}

void Help::draw(const Look& look, ImVec2 size, std::span<const Shortcut> shortcuts) {
    if (!ImGui::IsPopupOpen(id)) return;
    const std::vector<Line> lines = lines_of(shortcuts);
    const float inset = look.px(padding), inner = look.px(2 * column_width) - inset;
    const WrappedText note{look.fonts.body, inner};
    float height = look.px(row) * static_cast<float>(std::max(lines.size(), gestures.size())) + look.px(8);
    const float notes_top = height;
    for (const char* const words : notes) height += note.height(words) + look.px(note_gap);
    height = std::max(height, look.px(least_height));

    const ImVec2 box{look.px(2 * column_width) + inset, 2 * inset + look.px(heading) + height};
    const ImVec2 corner{std::round((size.x - box.x) / 2), std::round((size.y - box.y) / 2)};
    if (!begin_dialog(id, {corner, {corner.x + box.x, corner.y + box.y}})) return;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float left = corner.x + inset;
    ImGui::SetCursorScreenPos({left, corner.y + inset});
    if (tool_button(look, "keys", "Keys and gestures", Icon::none, !glossary_)) glossary_ = false;
    ImGui::SameLine(0, look.px(8));
    if (tool_button(look, "glossary", "Glossary", Icon::none, glossary_)) glossary_ = true;
    const float top = corner.y + inset + look.px(heading);
    ImGui::SetCursorScreenPos({left, top});
    if (glossary_) {
        draw_glossary(look, inner, height - look.px(40));
    } else {
        draw_lines(look, list, {left, top}, lines);
        draw_lines(look, list, {left + look.px(column_width), top}, gestures);
        float y = top + notes_top;
        for (const char* const words : notes)
            y += note.draw(list, {left, y}, look.theme.muted, words) + look.px(note_gap);
    }
    ImGui::EndPopup();
}

}  // namespace lab
