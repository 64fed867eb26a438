#include "app/ui/explanation.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <imgui_internal.h>
#include <string_view>

#include "app/ui/focus.hpp"

namespace lab {

namespace {

constexpr std::string_view hat = "\xCC\x82";
constexpr float widest = 320, padding = 11, gap = 5;  // of the note

// Calls `letters` with each stretch of the formula that has no hats, and `hat_over` with the width of the
// last letter before one.
template <class Letters, class HatOver>
void walk(ImFont* font, std::string_view formula, Letters letters, HatOver hat_over) {
    while (!formula.empty()) {
        const size_t at = std::min(formula.find(hat), formula.size());
        letters(formula.substr(0, at));
        if (at == formula.size()) return;
        size_t last = at;
        while (last > 0 && (static_cast<unsigned char>(formula[--last]) & 0xC0) == 0x80) {
        }
        hat_over(plot::text_size(font, formula.data() + last, formula.data() + at).x);
        formula.remove_prefix(at + hat.size());
    }
}

void draw_mark(const Look& look, ImDrawList& list, ImVec2 c, Color color) {
    const float r = look.px(6), half = look.px(0.75f);
    list.AddCircle(c, r, color, 20, look.px(1.2f));
    list.AddRectFilled({c.x - half, c.y - look.px(0.8f)}, {c.x + half, c.y + look.px(3.2f)}, color);
    list.AddRectFilled({c.x - half, c.y - look.px(3.2f)}, {c.x + half, c.y - look.px(1.7f)}, color);
}

void draw_note(const Look& look, const Explanation& explanation, float left, float top) {
    ImFont* const symbols = look.fonts.body;
    const float inset = look.px(padding);
    const bool has_formula = *explanation.formula != '\0';
    const float inner = std::max(look.px(widest), formula_width(symbols, explanation.formula));
    const WrappedText why{look.fonts.small, inner};
    const float formula_height = has_formula ? symbols->FontSize + look.px(gap) : 0;
    const ImVec2 size{inner + 2 * inset, formula_height + why.height(explanation.why) + 2 * look.px(9)};
    const ImVec2 screen = ImGui::GetIO().DisplaySize;
    const float edge = look.px(8);
    const ImVec2 at{std::round(std::clamp(left, edge, std::max(edge, screen.x - size.x - edge))),
                    std::round(std::min(top, screen.y - size.y - edge))};
    ImDrawList& list = *ImGui::GetForegroundDrawList();
    const ImVec2 end{at.x + size.x, at.y + size.y};
    list.AddRectFilled(at, end, ImGui::GetColorU32(ImGuiCol_PopupBg), look.px(6));
    list.AddRect(at, end, look.theme.control_border, look.px(6));
    const ImVec2 words{at.x + inset, at.y + look.px(9)};
    if (has_formula) draw_formula(look, list, symbols, words, look.theme.text, explanation.formula);
    why.draw(list, {words.x, words.y + formula_height}, look.theme.text, explanation.why);
}

}  // namespace

float WrappedText::height(const char* words) const {
    return font->CalcTextSizeA(font->FontSize, FLT_MAX, width, words).y;
}

float WrappedText::draw(ImDrawList& list, ImVec2 at, Color color, const char* words) const {
    list.AddText(font, font->FontSize, {std::round(at.x), std::round(at.y)}, color, words, nullptr, width);
    return height(words);
}

float formula_width(ImFont* font, const char* formula) {
    float width = 0;
    walk(
        font, formula,
        [&](std::string_view letters) {
            width += plot::text_size(font, letters.data(), letters.data() + letters.size()).x;
        },
        [](float) {});
    return width;
}

void draw_formula(const Look& look, ImDrawList& list, ImFont* font, ImVec2 at, Color color,
                  const char* formula) {
    walk(
        font, formula,
        [&](std::string_view letters) {
            const char* const end = letters.data() + letters.size();
            plot::text(list, font, at, color, letters.data(), end);
            at.x += plot::text_size(font, letters.data(), end).x;
        },
        [&](float width) {
            const float x = std::round(at.x) - width / 2, y = std::round(at.y) + look.px(2),
                        reach = look.px(3);
            const ImVec2 points[3] = {{x - reach, y + reach}, {x, y}, {x + reach, y + reach}};
            plot::stroke(list, points, color, look.px(1.2f));
        });
}

void draw_info(const Look& look, const Explanation& explanation, ImVec2 center, float below) {
    const float half = look.px(info_width / 2);
    ImGui::SetCursorScreenPos({center.x - half, center.y - half});
    if (press_area(look, explanation.name, {2 * half, 2 * half})) look.focus.give_to_last_item();
    const bool shown = ImGui::IsItemHovered() || look.focus.has(ImGui::GetItemID());
    draw_mark(look, *ImGui::GetWindowDrawList(), {std::round(center.x), std::round(center.y)},
              shown ? look.theme.text : look.theme.muted);
    if (shown) draw_note(look, explanation, center.x - half - look.px(padding), below);
}

}  // namespace lab
