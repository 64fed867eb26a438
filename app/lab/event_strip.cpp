#include "app/lab/event_strip.hpp"

#include <algorithm>

#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float gap = 16, flag_width = 22, most_words = 360;

std::string words_of(const Look& look, const Event& event) {
    return plot::fitted(look.fonts.small, event.words, look.px(most_words));
}

}  // namespace

std::vector<plot::Mark> marks_of(const Snapshot& run) {
    const auto latest = static_cast<double>(std::max<uint64_t>(run.step, 1));
    std::vector<plot::Mark> marks;
    for (const Event& event : run.events)
        marks.push_back({.x = std::min(static_cast<double>(event.step), latest),
                         .number = marks.size() + 1,
                         .alarming = event.by_itself(),
                         .words = event.words});
    return marks;
}

std::optional<uint64_t> draw_event_strip(const Look& look, const plot::Rect& frame, const Snapshot& run) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = (frame.min.y + frame.max.y) / 2;
    const auto width_of = [&](const Event& event) {
        return look.px(flag_width + gap) + plot::text_size(look.fonts.small, words_of(look, event).c_str()).x;
    };
    size_t first = run.events.size();
    for (float width = look.px(90); first > 0; --first)  // room for how many there are before
        if ((width += width_of(run.events[first - 1])) > frame.width()) break;

    float x = frame.min.x;
    const auto say = [&](const std::string& words, Color color) {
        const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
        plot::text(list, look.fonts.small, {x, middle - size.y / 2}, color, words.c_str());
        x += size.x;
    };
    if (first > 0) {
        say(std::to_string(first) + " earlier", look.theme.muted);
        x += look.px(gap);
    }
    const std::vector<plot::Mark> marks = marks_of(run);
    std::optional<uint64_t> pressed;
    ImGui::PushID("events");
    for (size_t i = first; i < run.events.size(); ++i) {
        const Event& event = run.events[i];
        const float place = middle, left = x;
        const auto flags = plot::flags_down(look, {&marks[i], 1}, x, {&place, 1});
        ImGui::PushID(static_cast<int>(i));
        ImGui::SetCursorScreenPos({left, frame.min.y});
        if (press_area(look, "event", {width_of(event) - look.px(gap), frame.height()})) pressed = event.step;
        const bool hovered = ImGui::IsItemHovered();
        hint(look,
             ("Step " + std::to_string(event.step) + ": " + event.words + ". A click zooms there.").c_str(),
             Side::below);
        ImGui::PopID();
        plot::draw_flag(look, list, flags.front());
        x += look.px(flag_width);
        say(words_of(look, event), hovered ? look.theme.text : look.theme.muted);
        x += look.px(gap);
    }
    ImGui::PopID();
    return pressed;
}

}  // namespace lab
