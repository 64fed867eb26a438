#include "app/ui/widgets.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <imgui_internal.h>

#include "app/ui/focus.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

constexpr float control_rounding = 6;
constexpr float icon_width = 20, button_padding = 13;  // in a button: of the icon, beside the words
constexpr float smallest = 1e-5f;  // what a logarithmic slider that starts at 0 shows next to it

float position(float value, float low, float high, bool log) {
    if (!log) return (value - low) / (high - low);
    const float from = low > 0 ? low : smallest;
    return value <= from ? 0 : std::log(value / from) / std::log(high / from);
}

float value_at(float unit, float low, float high, bool log) {
    const float at = std::clamp(unit, 0.0f, 1.0f);
    if (!log) return low + (high - low) * std::round(at * 1000) / 1000;
    const float from = low > 0 ? low : smallest;
    return at <= 0 ? low : from * std::pow(high / from, at);
}

float two_digits(float value) {
    if (value <= 0) return value;
    const float unit = std::pow(10.0f, std::floor(std::log10(value)) - 1);
    return std::round(value / unit) * unit;
}

// `text` in the current font, cut so that it is at most `width` wide.
std::string shortened(const char* text, float width) {
    if (ImGui::CalcTextSize(text).x <= width) return text;
    std::string result = text;
    while (!result.empty() && ImGui::CalcTextSize((result + "...").c_str()).x > width) result.pop_back();
    return result + "...";
}

// Label, value and track; ImGui's slider, invisible, on top of the track does the work. `nudge` moves the
// value by so many hundredths of the track, or by as many whole numbers.
template <class Slider, class Nudge>
bool draw_slider(const Look& look, const char* label, const std::string& shown, float unit, Slider behaviour,
                 Nudge nudge) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, row = look.px(16), track_height = look.px(14);
    ImGui::PushID(label);
    const ImGuiID id = ImGui::GetID("##track");
    const bool typing = ImGui::TempInputIsActive(id);

    const ImVec2 value_size = plot::text_size(look.fonts.mono, shown.c_str());
    plot::text(list, look.fonts.small, {at.x, at.y + look.px(1)}, look.theme.muted, label);
    if (!typing)
        plot::text(list, look.fonts.mono, {at.x + width - value_size.x, at.y + look.px(1)}, look.theme.text,
                   shown.c_str());

    ImGui::SetCursorScreenPos({at.x, at.y + row});
    ImGui::SetNextItemWidth(width);
    ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {look.px(4), look.px(1)});
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, typing ? 1.0f : 0.0f);
    ImGui::PushStyleVar(ImGuiStyleVar_GrabMinSize, look.px(12));
    ImGui::PushFont(look.fonts.small);
    const int hidden = typing ? 0 : 6;
    if (hidden > 0)
        for (const ImGuiCol color : {ImGuiCol_FrameBg, ImGuiCol_FrameBgHovered, ImGuiCol_FrameBgActive,
                                     ImGuiCol_SliderGrab, ImGuiCol_SliderGrabActive, ImGuiCol_Text})
            ImGui::PushStyleColor(color, 0u);
    if (!typing && look.focus.pressed(id)) ImGui::GetCurrentContext()->NavActivateInputId = id;
    bool changed = behaviour();
    const bool focused = look.focus.take_part(look);
    if (const int steps = focused && !typing ? arrows_across() + arrows_up() : 0) {
        nudge(steps);
        changed = true;
    }
    ImGui::PopStyleColor(hidden);
    ImGui::PopFont();
    ImGui::PopStyleVar(3);

    const bool hovered = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
    if (!ImGui::TempInputIsActive(id)) {
        const float reach = look.px(6), left = at.x + reach, right = at.x + width - reach;
        const float middle = std::round(at.y + row + track_height / 2),
                    knob = left + (right - left) * std::clamp(unit, 0.0f, 1.0f);
        const float half = look.px(2);
        list.AddRectFilled({at.x, middle - half}, {at.x + width, middle + half},
                           look.theme.dark ? look.theme.control_hovered : look.theme.control_border, half);
        list.AddRectFilled({at.x, middle - half}, {knob, middle + half}, look.theme.grip, half);
        const float radius = look.px(active ? 7.5f : hovered ? 7.0f : 6.5f);
        plot::disc(list, look.fonts, {knob, middle}, radius + look.px(1.5f), look.theme.panel);
        plot::disc(list, look.fonts, {knob, middle}, radius, look.theme.grip);
    }
    ImGui::SetCursorScreenPos({at.x, at.y + row + track_height + look.px(5)});
    ImGui::PopID();
    return changed;
}

// Whether the pointer or the keyboard rests on the last control.
bool note_wanted(const Look& look) {
    const bool pointed = ImGui::IsItemHovered() && ImGui::GetCurrentContext()->HoveredIdTimer >= 0.5f;
    return pointed || look.focus.rests_on(ImGui::GetItemID());
}

constexpr float note_width = 280;  // at most, of its words

void draw_note(const Look& look, const char* note) {
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(9), look.px(7)});
    ImGui::PushFont(look.fonts.small);
    ImGui::BeginTooltip();
    ImGui::PushTextWrapPos(look.px(note_width));
    ImGui::TextUnformatted(note);
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
    ImGui::PopFont();
    ImGui::PopStyleVar();
}

void draw_icon(const Look& look, ImDrawList& list, Icon icon, ImVec2 c, Color color, Color ground) {
    const float r = look.px(5);
    const auto arc = [&](float from, float to, float radius, float width) {
        std::array<ImVec2, 25> points;
        for (size_t i = 0; i < points.size(); ++i) {
            const float angle =
                from + (to - from) * static_cast<float>(i) / static_cast<float>(points.size() - 1);
            points[i] = {c.x + std::cos(angle) * radius, c.y + std::sin(angle) * radius};
        }
        plot::stroke(list, points, color, width);
    };
    switch (icon) {
        case Icon::none:
            break;
        case Icon::play:
            list.AddTriangleFilled({c.x - r * 0.7f, c.y - r}, {c.x + r, c.y}, {c.x - r * 0.7f, c.y + r},
                                   color);
            break;
        case Icon::pause:
            list.AddRectFilled({c.x - r * 0.8f, c.y - r}, {c.x - r * 0.2f, c.y + r}, color, 1);
            list.AddRectFilled({c.x + r * 0.25f, c.y - r}, {c.x + r * 0.85f, c.y + r}, color, 1);
            break;
        case Icon::step:
            list.AddTriangleFilled({c.x - r * 0.9f, c.y - r}, {c.x + r * 0.5f, c.y},
                                   {c.x - r * 0.9f, c.y + r}, color);
            list.AddRectFilled({c.x + r * 0.6f, c.y - r}, {c.x + r, c.y + r}, color);
            break;
        case Icon::reset:
            arc(-0.9f, 4.4f, r, look.px(1.6f));
            list.AddTriangleFilled({c.x + r * 0.1f, c.y - r * 0.75f}, {c.x + r * 1.15f, c.y - r * 1.1f},
                                   {c.x + r * 1.05f, c.y + r * 0.05f}, color);
            break;
        case Icon::sun:
            plot::disc(list, look.fonts, c, r * 0.75f, color);
            for (int i = 0; i < 8; ++i) {
                const float angle = static_cast<float>(i) * 0.7853982f;
                const ImVec2 ray[2] = {{c.x + std::cos(angle) * r, c.y + std::sin(angle) * r},
                                       {c.x + std::cos(angle) * r * 1.4f, c.y + std::sin(angle) * r * 1.4f}};
                plot::stroke(list, ray, color, look.px(1.4f));
            }
            break;
        case Icon::projector:
            list.AddRectFilled({c.x - r * 1.3f, c.y - r}, {c.x + r * 1.3f, c.y + r * 0.6f}, color,
                               look.px(1.5f));
            list.AddRectFilled({c.x - r * 0.2f, c.y + r * 0.6f}, {c.x + r * 0.2f, c.y + r * 1.3f}, color);
            break;
        case Icon::moon:
            plot::disc(list, look.fonts, c, r * 1.15f, color);
            plot::disc(list, look.fonts, {c.x + r * 0.55f, c.y - r * 0.4f}, r, ground);
            break;
    }
}

}  // namespace

bool slider(const Look& look, const char* label, float& value, float low, float high, bool log) {
    const ImGuiSliderFlags flags =
        ImGuiSliderFlags_AlwaysClamp |
        (log ? ImGuiSliderFlags_Logarithmic | ImGuiSliderFlags_NoRoundToFormat : 0);
    const float unit = position(value, low, high, log);
    const bool changed = draw_slider(
        look, label, plot::short_number(value), unit,
        [&] { return ImGui::SliderFloat("##track", &value, low, high, log ? "%.5f" : "%.3f", flags); },
        [&](int steps) { value = value_at(unit + static_cast<float>(steps) * 0.01f, low, high, log); });
    if (changed && log) value = std::clamp(two_digits(value), low, high);
    return changed;
}

bool slider(const Look& look, const char* label, uint32_t& value, uint32_t low, uint32_t high,
            const std::string& shown) {
    const float unit = high > low ? static_cast<float>(value - low) / static_cast<float>(high - low) : 0;
    return draw_slider(
        look, label, shown, unit,
        [&] {
            return ImGui::SliderScalar("##track", ImGuiDataType_U32, &value, &low, &high, "%u",
                                       ImGuiSliderFlags_AlwaysClamp);
        },
        [&](int steps) {
            value = static_cast<uint32_t>(
                std::clamp(int64_t{value} + steps, int64_t{low}, std::max(int64_t{low}, int64_t{high})));
        });
}

bool choice(const Look& look, const char* id, float width, const char* preview,
            std::span<const char* const> names, int& selected, std::span<const char* const> notes) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::SetNextItemWidth(width);
    bool changed = false;
    ImGui::PushStyleColor(ImGuiCol_Border, look.theme.dark ? 0u : look.theme.control_border);
    const std::string shown = shortened(preview, width - look.px(33));
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, look.px(6)});  // whole rows in rounded corners
    const bool open =
        ImGui::BeginCombo(id, shown.c_str(), ImGuiComboFlags_NoArrowButton | ImGuiComboFlags_HeightLarge);
    ImGui::PopStyleVar();
    ImGui::PopStyleColor();
    if (open) {
        const int before = selected;
        for (int i = 0; i < static_cast<int>(names.size()); ++i) {
            if (menu_row(look, names[static_cast<size_t>(i)], i == before)) selected = i;
            if (i == before && ImGui::IsWindowAppearing()) look.focus.begin_at_last_item();
            if (!notes.empty()) hint(look, notes[static_cast<size_t>(i)]);
        }
        changed = selected != before;
        ImGui::EndCombo();
    } else if (const ImGuiID control = ImGui::GetItemID();
               look.focus.take_part(look) && look.focus.pressed(control)) {
        ImGui::OpenPopupEx(ImHashStr("##ComboPopup", 0, control));  // as BeginCombo does
    }
    const ImVec2 tip{at.x + width - look.px(15), at.y + ImGui::GetFrameHeight() / 2 + look.px(2.5f)};
    const ImVec2 chevron[3] = {
        {tip.x - look.px(4.5f), tip.y - look.px(4.5f)}, tip, {tip.x + look.px(4.5f), tip.y - look.px(4.5f)}};
    plot::stroke(*ImGui::GetWindowDrawList(), chevron, look.theme.muted, look.px(1.6f));
    return changed;
}

void draw_track(const Look& look, ImDrawList& list, ImVec2 min, ImVec2 max) {
    list.AddRectFilled(min, max, look.theme.control, look.px(control_rounding));
    if (!look.theme.dark) list.AddRect(min, max, look.theme.control_border, look.px(control_rounding));
}

void draw_raised(const Look& look, ImDrawList& list, ImVec2 min, ImVec2 max) {
    const float pad = look.px(2), rounding = look.px(control_rounding - 1);
    const ImVec2 from{min.x + pad, min.y + pad}, to{max.x - pad, max.y - pad};
    list.AddRectFilled(from, to, look.theme.dark ? rgb(0x434D5E) : rgb(0xFFFFFF), rounding);
    if (!look.theme.dark) list.AddRect(from, to, look.theme.control_border, rounding);
}

void caption(const Look& look, const char* words) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    plot::text(*ImGui::GetWindowDrawList(), look.fonts.small, at, look.theme.muted, words);
    ImGui::SetCursorScreenPos({at.x, at.y + look.px(17)});
}

bool segments(const Look& look, const char* id, std::span<const char* const> names, int& selected) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, height = look.px(26);
    draw_track(look, list, at, {at.x + width, at.y + height});
    const float each = width / static_cast<float>(names.size());
    bool changed = false;
    ImGui::BeginGroup();  // one item, for a note about all of them
    ImGui::PushID(id);
    for (int i = 0; i < static_cast<int>(names.size()); ++i) {
        const float left = at.x + each * static_cast<float>(i);
        ImGui::SetCursorScreenPos({left, at.y});
        if (press_area(look, names[static_cast<size_t>(i)], {each, height}) && selected != i) {
            selected = i;
            changed = true;
        }
        const bool down = selected == i;
        if (down) draw_raised(look, list, {left, at.y}, {left + each, at.y + height});
        const ImVec2 size = plot::text_size(look.fonts.body, names[i]);
        plot::text(list, look.fonts.body, {left + (each - size.x) / 2, at.y + (height - size.y) / 2},
                   down || ImGui::IsItemHovered() ? look.theme.text : look.theme.muted, names[i]);
    }
    ImGui::PopID();
    ImGui::EndGroup();
    ImGui::SetCursorScreenPos({at.x, at.y + height + look.px(6)});
    return changed;
}

bool check_box(const Look& look, const char* label, bool& value) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = look.px(24), width = ImGui::GetContentRegionAvail().x;
    const bool clicked = press_area(look, label, {width, height});
    if (clicked) value = !value;
    // A switch: its knob is right when on.
    const float track_width = look.px(30), track_height = look.px(16),
                top = std::round(at.y + (height - track_height) / 2);
    const float right = at.x + width, radius = track_height / 2;
    const Color off = look.theme.dark ? rgb(0x3A4250) : look.theme.control_border;
    list.AddRectFilled({right - track_width, top}, {right, top + track_height}, value ? look.theme.grip : off,
                       radius);
    plot::disc(list, look.fonts, {value ? right - radius : right - track_width + radius, top + radius},
               radius - look.px(1.2f), rgb(0xFFFFFF));
    const ImVec2 size = plot::text_size(look.fonts.small, label);
    plot::text(list, look.fonts.small, {at.x, at.y + (height - size.y) / 2},
               ImGui::IsItemHovered() ? look.theme.text : look.theme.muted, label);
    return clicked;
}

bool section(const Look& look, const char* name, Color mark) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = look.px(26);
    ImGuiStorage& storage = *ImGui::GetStateStorage();
    const ImGuiID id = ImGui::GetID(name);
    bool open = storage.GetBool(id, true);
    if (press_area(look, name, {ImGui::GetContentRegionAvail().x, height})) {
        open = !open;
        storage.SetBool(id, open);
    }
    const Color arrow_color = ImGui::IsItemHovered() ? look.theme.text : look.theme.faint;
    float x = at.x;
    const float middle = at.y + height / 2;
    if (mark) {
        plot::disc(list, look.fonts, {x + look.px(5), middle}, look.px(5.5f), mark);
        x += look.px(17);
    }
    const ImVec2 size = plot::text_size(look.fonts.strong, name);
    plot::text(list, look.fonts.strong, {x, middle - size.y / 2}, look.theme.text, name);
    const float right = ImGui::GetItemRectMax().x, s = look.px(4);
    const ImVec2 down[3] = {
        {right - 2 * s, middle - s / 2}, {right - s, middle + s / 2}, {right, middle - s / 2}};
    const ImVec2 aside[3] = {
        {right - 1.5f * s, middle - s}, {right - s / 2, middle}, {right - 1.5f * s, middle + s}};
    plot::stroke(list, open ? down : aside, arrow_color, look.px(1.5f));
    return open;
}

float tool_button_width(const Look& look, const char* label, Icon icon) {
    return look.px(2 * button_padding) + (icon == Icon::none ? 0 : look.px(icon_width)) +
           plot::text_size(look.fonts.body, label).x;
}

bool tool_button(const Look& look, const char* id, const char* label, Icon icon, bool primary, float least) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos(), size = plot::text_size(look.fonts.body, label);
    const float words_left = look.px(button_padding) + (icon == Icon::none ? 0 : look.px(icon_width));
    const float width = std::max(least, tool_button_width(look, label, icon)), height = look.px(tool_height);
    const bool clicked = press_area(look, id, {width, height});
    const bool hovered = ImGui::IsItemHovered(), held = ImGui::IsItemActive();
    Color fill = primary ? look.theme.accent : look.theme.control,
          words = primary ? look.theme.on_accent : look.theme.text;
    if (hovered) fill = primary ? mixed(fill, rgb(0xFFFFFF), 0.12f) : look.theme.control_hovered;
    if (held) fill = mixed(fill, rgb(0), 0.12f);
    const ImVec2 end{at.x + width, at.y + height};
    const float rounding = look.px(control_rounding);
    list.AddRectFilled(at, end, fill, rounding);
    if (!primary && !look.theme.dark) list.AddRect(at, end, look.theme.control_border, rounding);
    draw_icon(look, list, icon, {at.x + look.px(18), std::round(at.y + height / 2)}, words, fill);
    plot::text(list, look.fonts.body, {at.x + words_left, at.y + (height - size.y) / 2}, words, label);
    return clicked;
}

bool menu_row(const Look& look, const char* name, bool chosen) {
    const bool clicked = ImGui::Selectable(name, chosen);
    const bool pressed = look.focus.take_part(look) && look.focus.pressed(ImGui::GetItemID());
    if (pressed) ImGui::CloseCurrentPopup();
    return clicked || pressed;
}

void hint(const Look& look, const char* note, Side side) {
    if (!note_wanted(look)) return;
    const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax(),
                 screen = ImGui::GetIO().DisplaySize;
    const float gap = look.px(6), width = look.px(note_width + 2 * 9);
    if (side == Side::above) {
        ImGui::SetNextWindowPos({std::min(low.x, screen.x - width), low.y - gap}, ImGuiCond_Always, {0, 1});
    } else if (side == Side::below) {
        ImGui::SetNextWindowPos({std::min(low.x, screen.x - width), high.y + gap});
    } else {  // of the column or list that the control stands in
        const ImVec2 window = ImGui::GetWindowPos();
        const float right = window.x + ImGui::GetWindowWidth() + gap;
        const bool fits = right + width<screen.x, lower = low.y> screen.y * 0.7f;
        ImGui::SetNextWindowPos({fits ? right : window.x - gap, lower ? high.y : low.y}, ImGuiCond_Always,
                                {fits ? 0.0f : 1.0f, lower ? 1.0f : 0.0f});
    }
    draw_note(look, note);
}

}  // namespace lab
