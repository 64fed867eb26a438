#include "app/lab/tab_strip.hpp"

#include <cmath>

#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float padding = 11, digit_gap = 6;  // of a tab: beside its words, between digit and name

std::string digit(size_t tab) {
    return std::to_string(tab + 1);
}

float tab_width(const Look& look, const Tab& tab, size_t place) {
    return look.px(2 * padding + digit_gap) + plot::text_size(look.fonts.mono, digit(place).c_str()).x +
           plot::text_size(look.fonts.body, tab.name()).x;
}

}  // namespace

float tab_strip_width(const Look& look, const TabList& tabs) {
    float width = 0;
    for (size_t i = 0; i < tabs.size(); ++i) width += tab_width(look, *tabs[i], i);
    return std::round(width);
}

std::optional<size_t> draw_tab_strip(const Look& look, ImVec2 at, const TabList& tabs, size_t shown) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float height = look.px(tool_height), middle = at.y + height / 2;
    draw_track(look, list, at, {at.x + tab_strip_width(look, tabs), at.y + height});
    std::optional<size_t> clicked;
    for (size_t i = 0; i < tabs.size(); ++i) {
        const float width = tab_width(look, *tabs[i], i);
        ImGui::SetCursorScreenPos(at);
        if (press_area(look, tabs[i]->name(), {width, height})) clicked = i;
        const bool hovered = ImGui::IsItemHovered();
        hint(look, tabs[i]->note(), Side::below);
        if (i == shown) draw_raised(look, list, at, {at.x + width, at.y + height});
        const std::string place = digit(i);
        const ImVec2 place_size = plot::text_size(look.fonts.mono, place.c_str()),
                     name_size = plot::text_size(look.fonts.body, tabs[i]->name());
        const Color color = i == shown || hovered ? look.theme.text : look.theme.muted;
        float x = at.x + look.px(padding);
        plot::text(list, look.fonts.mono, {x, middle - place_size.y / 2}, color, place.c_str());
        x += place_size.x + look.px(digit_gap);
        plot::text(list, look.fonts.body, {x, middle - name_size.y / 2}, color, tabs[i]->name());
        at.x += width;
    }
    return clicked;
}

}  // namespace lab
