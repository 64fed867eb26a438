#include "app/plot/marks.hpp"

#include <algorithm>
#include <cmath>

namespace lab::plot {

namespace {

constexpr float flag_padding = 4, flag_gap = 2;  // beside the number, between flags
constexpr float most_words = 420;                // pixels of a read-out's line
constexpr float past_dash = 4;

std::string label_of(const Flag& flag) {
    const std::string first = std::to_string(flag.marks.front()->number);
    return flag.marks.size() == 1 ? first
                                  : first + "\xE2\x80\x93" + std::to_string(flag.marks.back()->number);
}

float flag_width(const Look& look, const Flag& flag) {
    return text_size(look.fonts.small, label_of(flag).c_str()).x + look.px(2 * flag_padding);
}

bool alarming(const Flag& flag) {
    return std::any_of(flag.marks.begin(), flag.marks.end(), [](const Mark* mark) { return mark->alarming; });
}

// In the middle between its first and its last mark, but not beyond the plot.
void place_across(const Look& look, const Mapping& m, Flag& flag, float first, float last) {
    const float width = flag_width(look, flag), most = std::max(m.left, m.left + m.width - width);
    const float left = std::round(std::clamp((first + last - width) / 2, m.left, most));
    flag.rect.min.x = left;
    flag.rect.max.x = left + std::ceil(width);
}

}  // namespace

Color mark_color(const Look& look, const Mark& mark) {
    return mark.alarming ? look.theme.bad : look.theme.grip;
}

std::vector<Flag> flags_across(const Look& look, const Mapping& m, std::span<const Mark> marks,
                               float bottom) {
    struct Group {
        Flag flag;
        float first, last;
    };
    std::vector<Group> groups;
    const float top = std::round(bottom - look.px(flag_height));
    for (const Mark& mark : marks) {
        if (mark.x < m.x.low || mark.x > m.x.high) continue;
        const float x = m.to_x(mark.x);
        groups.push_back({{{{0, top}, {0, bottom}}, {&mark}}, x, x});
        place_across(look, m, groups.back().flag, x, x);
        while (groups.size() > 1) {
            Group& before = groups[groups.size() - 2];
            if (groups.back().flag.rect.min.x >= before.flag.rect.max.x + look.px(flag_gap)) break;
            before.flag.marks.insert(before.flag.marks.end(), groups.back().flag.marks.begin(),
                                     groups.back().flag.marks.end());
            before.last = groups.back().last;
            groups.pop_back();
            place_across(look, m, before.flag, before.first, before.last);
        }
    }
    std::vector<Flag> flags;
    for (Group& group : groups) flags.push_back(std::move(group.flag));
    return flags;
}

std::vector<Flag> flags_down(const Look& look, std::span<const Mark> marks, float left,
                             std::span<const float> places) {
    std::vector<Flag> flags;
    const float height = look.px(flag_height);
    for (size_t i = 0; i < marks.size(); ++i) {
        if (!std::isfinite(places[i])) continue;
        const float top = std::round(places[i] - height / 2);
        if (!flags.empty() && top < flags.back().rect.max.y + look.px(flag_gap))
            flags.back().marks.push_back(&marks[i]);
        else
            flags.push_back({{{left, top}, {left, top + height}}, {&marks[i]}});
        flags.back().rect.max.x = left + std::ceil(flag_width(look, flags.back()));
    }
    return flags;
}

void draw_flag(const Look& look, ImDrawList& list, const Flag& flag) {
    const Color ground = alarming(flag) ? look.theme.bad : look.theme.grip;
    list.AddRectFilled(flag.rect.min, flag.rect.max, ground, look.px(3));
    const std::string label = label_of(flag);
    const ImVec2 size = text_size(look.fonts.small, label.c_str());
    text(list, look.fonts.small,
         {(flag.rect.min.x + flag.rect.max.x - size.x) / 2, (flag.rect.min.y + flag.rect.max.y - size.y) / 2},
         look.theme.panel, label.c_str());
}

void draw_mark_lines(const Look& look, ImDrawList& list, const Mapping& m, std::span<const Mark> marks) {
    const auto draw_line = [&](const Mark& mark) {
        const float x = std::round(m.to_x(mark.x)), width = std::max(1.0f, std::round(look.px(1)));
        list.AddRectFilled({x, m.top}, {x + width, m.top + m.height}, faded(mark_color(look, mark), 0.8f));
        return x;
    };
    const auto is_there = [&](const Mark& mark) { return mark.x >= m.x.low && mark.x <= m.x.high; };
    for (const Mark& mark : marks)
        if (is_there(mark) && !mark.alarming) draw_line(mark);
    float top = m.top + look.px(2);
    for (const Mark& mark : marks) {  // what alarms lies on top
        if (!is_there(mark) || !mark.alarming) continue;
        const float x = draw_line(mark);
        const std::string words = mark.words.substr(0, mark.words.find(':'));
        const ImVec2 size = text_size(look.fonts.small, words.c_str());
        if (top + size.y > m.top + m.height) continue;
        const bool left = x + look.px(8) + size.x > m.left + m.width;
        const ImVec2 at{left ? x - look.px(8) - size.x : x + look.px(8), top};
        list.AddRectFilled({at.x - look.px(4), at.y - look.px(1)},
                           {at.x + size.x + look.px(4), at.y + size.y + look.px(1)}, look.theme.panel,
                           look.px(4));
        text(list, look.fonts.small, at, look.theme.bad, words.c_str());
        top += size.y + look.px(4);  // the next one may be close by
    }
}

void draw_past_line(const Look& look, ImDrawList& list, const Mapping& m, double step) {
    if (step < m.x.low || step > m.x.high) return;
    const float x = std::round(m.to_x(step)), width = std::max(1.0f, std::round(look.px(1.5f))),
                dash = std::round(look.px(past_dash));
    for (float top = m.top; top < m.top + m.height; top += 2 * dash)
        list.AddRectFilled({x, top}, {x + width, std::min(top + dash, m.top + m.height)}, look.theme.text);
}

const Mark* obey_flags(const Look& look, std::span<const Flag> flags) {
    const Mark* clicked = nullptr;
    ImGui::PushID("flags");
    for (size_t i = 0; i < flags.size(); ++i) {
        const Rect& rect = flags[i].rect;
        draw_flag(look, *ImGui::GetWindowDrawList(), flags[i]);
        ImGui::PushID(static_cast<int>(i));
        ImGui::SetCursorScreenPos(rect.min);
        if (ImGui::InvisibleButton("flag", {rect.width(), rect.height()})) clicked = flags[i].marks.front();
        ImGui::PopID();
        if (!ImGui::IsItemHovered()) continue;
        std::vector<ReadingLine> lines;
        for (const Mark* mark : flags[i].marks) lines.push_back(reading_of(look, *mark));
        const double first = flags[i].marks.front()->x, last = flags[i].marks.back()->x;
        draw_reading(look, ImGui::GetMousePos(),
                     first == last ? "step " + whole_number(first)
                                   : "steps " + whole_number(first) + " to " + whole_number(last),
                     lines);
    }
    ImGui::PopID();
    return clicked;
}

ReadingLine reading_of(const Look& look, const Mark& mark) {
    const std::string words = std::to_string(mark.number) + "  " + mark.words;
    return {fitted(look.fonts.small, words, look.px(most_words)), mark_color(look, mark), 0, ""};
}

}  // namespace lab::plot
