#include "app/lab/experiments/gallery.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>

#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float heading = 74, card_height = 146, gap = 8, inset = 10;
constexpr float picture_width = 92, picture_height = 56;

bool finished_with(const StudyView* study, Verdict verdict) {
    return study && study->judgement && study->judgement->verdict == verdict;
}

}  // namespace

float Gallery::width(const Look& look, float screen) {
    return look.px(screen < look.px(1400) ? 290 : 540);
}

bool Gallery::fits(const StudyView* study) const {
    if (only_not_run_) return !study;
    return !only_ || finished_with(study, *only_);
}

void Gallery::draw_picture(const Look& look, ImDrawList& list, const plot::Rect& frame,
                           const Experiment& experiment, const StudyView* study) {
    list.AddRectFilled(frame.min, frame.max, look.theme.ground, look.px(5));
    if (!study || study->trials.empty()) {
        // No picture before there is a result.
        for (int i = 1; i < 5; ++i) {
            const float x = std::round(frame.min.x + frame.width() * static_cast<float>(i) / 5);
            list.AddRectFilled({x, frame.min.y + look.px(6)}, {x + 1, frame.max.y - look.px(6)},
                               look.theme.grid);
        }
        const char* const words = study ? "waits" : "not run";
        const ImVec2 size = plot::text_size(look.fonts.small, words);
        const ImVec2 at{(frame.min.x + frame.max.x - size.x) / 2, (frame.min.y + frame.max.y - size.y) / 2};
        list.AddRectFilled({at.x - look.px(4), at.y}, {at.x + size.x + look.px(4), at.y + size.y},
                           look.theme.ground);
        plot::text(list, look.fonts.small, at, look.theme.muted, words);
        return;
    }
    const Figure& figure = experiment.figures.front();
    const auto found = miniatures_.find(&experiment);
    if (found == miniatures_.end() || found->second.revision != study->revision)
        miniatures_.insert_or_assign(&experiment, Miniature{study->revision, drawn_figure(figure, *study)});
    draw_miniature(look, list, frame, figure, miniatures_.at(&experiment).drawn);
}

bool Gallery::draw_card(const Look& look, const plot::Rect& card, const Experiment& experiment,
                        const StudyView* study) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    ImGui::PushID(experiment.name);
    ImGui::SetCursorScreenPos(card.min);
    const bool pressed = press_area(look, "card", {card.width(), card.height()});
    const bool hovered = ImGui::IsItemHovered(), chosen = &experiment == shown_;
    ImGui::PopID();
    const Color fill = chosen    ? rgb(look.theme.dark ? 0x222A36 : 0xEBF3FC)
                       : hovered ? mixed(look.theme.panel, look.theme.control, 0.6f)
                                 : look.theme.panel;
    list.AddRectFilled(card.min, card.max, fill, look.px(7));
    list.AddRect(card.min, card.max, chosen ? look.theme.grip : look.theme.border, look.px(7), 0,
                 look.px(chosen ? 2.0f : 1.0f));

    const float side = look.px(inset);
    const plot::Rect picture{
        {card.min.x + side, card.min.y + side},
        {card.min.x + side + look.px(picture_width), card.min.y + side + look.px(picture_height)}};
    draw_picture(look, list, picture, experiment, study);
    const float left = picture.max.x + look.px(8), room = card.max.x - side - left;
    plot::text(list, look.fonts.strong, {left, card.min.y + side}, look.theme.text,
               plot::fitted(look.fonts.strong, experiment.title, room).c_str());
    ImFont* const small = look.fonts.small;
    const ImVec4 clip{left, card.min.y, card.max.x - side, picture.max.y + look.px(2)};
    list.AddText(small, small->FontSize, {std::round(left), std::round(card.min.y + side + look.px(20))},
                 look.theme.muted, experiment.source, nullptr, room, &clip);
    const float claim_top = picture.max.y + look.px(6);
    list.AddText(small, small->FontSize, {std::round(card.min.x + side), std::round(claim_top)},
                 look.theme.text, experiment.claim, nullptr, card.width() - 2 * side);

    const Badge badge = badge_of(look, study);
    const bool marked = badge.mark != Badge::Mark::none;
    const ImVec2 size = plot::text_size(small, badge.words.c_str());
    const float bottom = card.max.y - look.px(8), tall = look.px(20);
    const float wide = size.x + look.px(marked ? 32 : 16);
    const plot::Rect chip{{card.max.x - look.px(8) - wide, bottom - tall}, {card.max.x - look.px(8), bottom}};
    list.AddRectFilled(chip.min, chip.max, badge.ground, look.px(5));
    const float middle = (chip.min.y + chip.max.y) / 2;
    if (marked)
        draw_mark(list, {chip.min.x + look.px(13), middle}, look.px(4), look.px(1.6f), badge.mark, badge.ink);
    plot::text(list, small, {chip.max.x - look.px(8) - size.x, middle - size.y / 2}, badge.ink,
               badge.words.c_str());
    if (study && study->state == StudyView::State::running) {
        const float from = card.min.x + side, to = chip.min.x - look.px(10),
                    top = std::round(middle - look.px(2));
        list.AddRectFilled({from, top}, {to, top + look.px(4)}, look.theme.control, look.px(2));
        list.AddRectFilled({from, top},
                           {from + (to - from) * static_cast<float>(study->progress), top + look.px(4)},
                           look.theme.grip, look.px(2));
    } else if (study && study->judgement) {
        char text[48];
        std::snprintf(text, sizeof text, "%.1f s%s", study->seconds,
                      study->form == Form::fast ? ", fast" : "");
        plot::text(list, look.fonts.mono, {card.min.x + side, middle - look.px(7)}, look.theme.muted, text);
    }
    return pressed;
}

void Gallery::draw_chips(const Look& look, const plot::Rect& frame, const Commands& commands) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const auto count = [&](auto fits) {
        const auto all = experiments();
        return std::count_if(all.begin(), all.end(),
                             [&](const Experiment& one) { return fits(commands.study(one).get()); });
    };
    float x = frame.min.x;
    const auto chip = [&](const char* id, const std::string& words, bool on) {
        const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
        const plot::Rect area{{x, frame.min.y}, {x + size.x + look.px(14), frame.max.y}};
        if (area.max.x > frame.max.x) return false;
        ImGui::SetCursorScreenPos(area.min);
        const bool pressed = press_area(look, id, {area.width(), area.height()});
        list.AddRectFilled(area.min, area.max,
                           ImGui::IsItemHovered() ? look.theme.control_hovered : look.theme.control,
                           look.px(5));
        if (on) list.AddRect(area.min, area.max, look.theme.grip, look.px(5), 0, look.px(1.5f));
        plot::text(list, look.fonts.small, {area.min.x + look.px(7), (area.min.y + area.max.y - size.y) / 2},
                   look.theme.text, words.c_str());
        x = area.max.x + look.px(6);
        return pressed;
    };
    const auto all = std::to_string(experiments().size());
    if (chip("all", "All " + all, !only_ && !only_not_run_)) only_.reset(), only_not_run_ = false;
    constexpr std::array verdicts = {Verdict::holds, Verdict::holds_in_part, Verdict::does_not_hold};
    const std::array names = {"Holds ", "In part ", frame.width() < look.px(400) ? "Not " : "Does not hold "};
    for (size_t i = 0; i < verdicts.size(); ++i) {
        const auto number = count([&](const StudyView* study) { return finished_with(study, verdicts[i]); });
        if (chip(names[i], names[i] + std::to_string(number), only_ == verdicts[i] && !only_not_run_))
            only_ = verdicts[i], only_not_run_ = false;
    }
    const auto rest = count([](const StudyView* study) { return !study; });
    if (chip("not run", "Not run " + std::to_string(rest), only_not_run_)) only_not_run_ = true;
}

GalleryClicks Gallery::draw(const Look& look, const plot::Rect& frame, Commands& commands) {
    GalleryClicks clicks;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    const float side = look.px(inset), middle = frame.min.y + look.px(24);
    const char* const title = "Experiments";
    const ImVec2 size = plot::text_size(look.fonts.strong, title);
    plot::text(list, look.fonts.strong, {frame.min.x + side, middle - size.y / 2}, look.theme.text, title);
    float right = frame.max.x - side;
    const auto button = [&](const char* id, const char* label, bool primary) {
        right -= tool_button_width(look, label, Icon::none);
        ImGui::SetCursorScreenPos({std::round(right), std::round(middle - look.px(tool_height / 2))});
        const bool pressed = tool_button(look, id, label, Icon::none, primary);
        right -= look.px(6);
        return pressed;
    };
    clicks.close = button("close", "Close", false);
    const auto all = experiments();
    const bool busy = std::any_of(all.begin(), all.end(), [&](const Experiment& one) {
        const auto study = commands.study(one);
        return study &&
               (study->state == StudyView::State::waiting || study->state == StudyView::State::running);
    });
    if (busy) {
        if (button("stop", "Stop", false)) commands.cancel_studies();
    } else if (button("all fast", "All, fast", false)) {
        for (const Experiment& one : all) commands.conduct(one, Form::fast);
    }
    const float chips = frame.min.y + look.px(46);
    draw_chips(look, {{frame.min.x + side, chips}, {frame.max.x - side, chips + look.px(22)}}, commands);

    ImGui::SetCursorScreenPos({frame.min.x + 1, frame.min.y + look.px(heading)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    ImGui::BeginChild("cards", {frame.width() - 2, frame.height() - look.px(heading + 6)}, false);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const size_t across = frame.width() < look.px(400) ? 1 : 2;
    const float room = frame.width() - 2 * side - look.px(8);  // but for the scroll bar
    const float width = (room - look.px(gap) * static_cast<float>(across - 1)) / static_cast<float>(across);
    size_t place = 0;
    for (const Experiment& one : all) {
        const auto study = commands.study(one);
        if (!fits(study.get())) continue;
        const float x = frame.min.x + side + (width + look.px(gap)) * static_cast<float>(place % across),
                    y = origin.y + (look.px(card_height) + look.px(gap)) * static_cast<float>(place / across);
        const plot::Rect card{{std::round(x), std::round(y) + 1},
                              {std::round(x + width), std::round(y + look.px(card_height)) + 1}};
        if (draw_card(look, card, one, study.get())) {
            shown_ = &one;
            if (!study) clicks.run = &one;
        }
        ++place;
    }
    const size_t rows = (place + across - 1) / across;
    ImGui::SetCursorScreenPos(
        {origin.x, origin.y + (look.px(card_height) + look.px(gap)) * static_cast<float>(rows)});
    ImGui::Dummy({1, 1});
    ImGui::EndChild();
    ImGui::PopStyleVar();
    return clicks;
}

void Gallery::draw_shown(const Look& look, const plot::Rect& area, Commands& commands) {
    const auto study = commands.study(*shown_);
    if (screen_.draw(look, area, *shown_, study.get())) commands.conduct(*shown_, Form::full);
}

}  // namespace lab
