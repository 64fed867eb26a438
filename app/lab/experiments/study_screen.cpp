#include "app/lab/experiments/study_screen.hpp"

#include <algorithm>
#include <cmath>
#include <imgui_internal.h>

#include "app/lab/cells.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float padding = 14, line_height = 22;

/// Words in a row of the text; those of a link stay together as one.
struct Word {
    std::string text;
    size_t figure = 0;  // from 1; 0: none
};

// "Follow the [test accuracy|1]: A ..."
std::vector<Word> words_of(const std::string& text) {
    std::vector<Word> words;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) words.push_back({std::exchange(word, "")});
    };
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '[') {
            finish();
            const size_t bar = text.find('|', i), end = text.find(']', bar);
            words.push_back(
                {text.substr(i + 1, bar - i - 1), std::stoul(text.substr(bar + 1, end - bar - 1))});
            i = end;
        } else if (text[i] == ' ') {
            finish();
        } else {
            word += text[i];
        }
    }
    finish();
    return words;
}

bool is_punctuation(const std::string& text) {
    return text == "." || text == "," || text == ":" || text == ";";
}

Color link_color(const Look& look) {
    return look.theme.dark ? rgb(0x7DB8FF) : rgb(0x0B62BF);
}

/// The text broken into lines of `width`; `draw` is called with every word and where it stands. Returns the
/// height.
template <class Draw>
float lay_out_words(const Look& look, const std::string& text, ImVec2 at, float width, Draw draw) {
    const float space = plot::text_size(look.fonts.body, " ").x;
    float x = at.x, y = at.y;
    for (const Word& word : words_of(text)) {
        float wide = plot::text_size(look.fonts.body, word.text.c_str()).x;
        if (word.figure > 0)
            wide += look.px(4) + plot::text_size(look.fonts.small, std::to_string(word.figure).c_str()).x;
        const bool attached = is_punctuation(word.text);
        if (attached && x > at.x) x -= space;
        if (!attached && x > at.x && x + wide > at.x + width) {
            x = at.x;
            y += look.px(line_height);
        }
        draw(word, ImVec2{x, y}, wide);
        x += wide + space;
    }
    return y + look.px(line_height) - at.y;
}

std::string seconds_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
    return text;
}

}  // namespace

Badge badge_of(const Look& look, const StudyView* study) {
    const bool dark = look.theme.dark;
    const Color plain = look.theme.control, green = rgb(dark ? 0x15301F : 0xE3F5EC),
                amber = rgb(dark ? 0x33300F : 0xFBF3DC), red = rgb(dark ? 0x3A1C20 : 0xFBE9EB);
    if (!study) return {"not run", look.theme.text, plain, Badge::Mark::none};
    if (study->state == StudyView::State::waiting)
        return {"waits", look.theme.text, plain, Badge::Mark::none};
    if (study->state == StudyView::State::running)
        return {std::to_string(static_cast<int>(100 * study->progress)) + " %", look.theme.text, plain,
                Badge::Mark::none};
    if (study->state == StudyView::State::failed)
        return {"failed", dark ? rgb(0xFF8A8E) : look.theme.bad, red, Badge::Mark::cross};
    const bool holds = study->judgement->verdict == Verdict::holds;
    const bool not_at_all = study->judgement->verdict == Verdict::does_not_hold;
    return {name(study->judgement->verdict),
            holds  ? look.theme.good
            : dark ? look.theme.warning
                   : rgb(0x855900),
            holds ? green : amber, not_at_all ? Badge::Mark::cross : Badge::Mark::check};
}

void draw_mark(ImDrawList& list, ImVec2 center, float reach, float width, Badge::Mark mark, Color color) {
    if (mark == Badge::Mark::cross) plot::draw_cross(list, center, reach * 0.8f, width, color);
    if (mark != Badge::Mark::check) return;
    const ImVec2 hook[3] = {{center.x - reach, center.y},
                            {center.x - reach * 0.25f, center.y + reach * 0.75f},
                            {center.x + reach, center.y - reach * 0.8f}};
    plot::stroke(list, hook, color, width);
}

void StudyScreen::take(const Experiment& experiment, const StudyView* study) {
    const uint64_t revision = study ? study->revision : 0;
    if (&experiment == experiment_ && revision == revision_) return;
    if (&experiment != experiment_) {
        panels_.assign(experiment.figures.size(), {});
        for (size_t i = 0; i < panels_.size(); ++i)
            panels_[i].scale = experiment.figures[i].log ? plot::Scale::log : plot::Scale::linear;
    }
    experiment_ = &experiment;
    revision_ = revision;
    drawn_.clear();
    for (const Figure& figure : experiment.figures)
        drawn_.push_back(study ? drawn_figure(figure, *study) : DrawnFigure{});
}

float StudyScreen::draw_words(const Look& look, const plot::Rect& area, const Experiment& experiment,
                              const StudyView* study) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float inset = look.px(padding), width = area.width() - 2 * inset;
    const float heading = look.px(40);
    const float words_height =
        lay_out_words(look, experiment.seeing, {}, width, [](const Word&, ImVec2, float) {});
    const plot::Rect frame{area.min, {area.max.x, area.min.y + heading + words_height + look.px(10)}};
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);

    const float middle = frame.min.y + look.px(21);
    const char* const again = !study ? "Run" : study->form == Form::fast ? "Run 3 seeds" : "Run again";
    float right = frame.max.x - look.px(10) - tool_button_width(look, again, Icon::reset);
    ImGui::SetCursorScreenPos({std::round(right), std::round(middle - look.px(tool_height / 2))});
    again_ = tool_button(look, "again", again, Icon::reset, false);
    const char* const title = "What am I seeing?";
    const ImVec2 title_size = plot::text_size(look.fonts.strong, title);
    float x = frame.min.x + inset;
    plot::text(list, look.fonts.strong, {x, middle - title_size.y / 2}, look.theme.text, title);
    x += title_size.x + look.px(12);
    const std::string facts = std::string(experiment.setup) + " \xC2\xB7 " + experiment.source;
    const std::string shown = plot::fitted(look.fonts.small, facts, right - look.px(12) - x);
    const ImVec2 size = plot::text_size(look.fonts.small, shown.c_str());
    plot::text(list, look.fonts.small, {x, middle - size.y / 2}, look.theme.muted, shown.c_str());

    ringed_ = 0;
    const ImVec2 begin{frame.min.x + inset, frame.min.y + heading};
    lay_out_words(look, experiment.seeing, begin, width, [&](const Word& word, ImVec2 at, float wide) {
        if (word.figure == 0)
            return plot::text(list, look.fonts.body, at, look.theme.text, word.text.c_str());
        ImGui::PushID(static_cast<int>(word.figure));
        ImGui::SetCursorScreenPos(at);
        press_area(look, "link", {wide, look.px(line_height - 2)});
        const bool on = ImGui::IsItemHovered() || look.focus.has(ImGui::GetItemID());
        ImGui::PopID();
        if (on) ringed_ = word.figure;
        const ImVec2 text = plot::text_size(look.fonts.body, word.text.c_str());
        if (on)
            list.AddRectFilled({at.x - look.px(3), at.y - look.px(1)},
                               {at.x + wide + look.px(3), at.y + text.y + look.px(2)}, look.theme.accent,
                               look.px(4));
        const Color ink = on ? look.theme.on_accent : link_color(look);
        plot::text(list, look.fonts.body, at, ink, word.text.c_str());
        const float under = std::round(at.y + text.y);
        list.AddRectFilled({at.x, under}, {at.x + text.x, under + 1}, ink);
        plot::text(list, look.fonts.small, {at.x + text.x + look.px(3), at.y - look.px(1)}, ink,
                   std::to_string(word.figure).c_str());
    });
    return frame.max.y;
}

float StudyScreen::draw_verdict(const Look& look, const plot::Rect& area, const Experiment& experiment,
                                const StudyView* study) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const Badge badge = badge_of(look, study);
    const bool finished = study && study->judgement;
    const float title_width = look.px(200), row = look.px(66), least = look.px(150);
    const size_t count = experiment.criteria.size();
    const auto across =
        std::clamp<size_t>(static_cast<size_t>((area.width() - title_width) / least), 1, count);
    const size_t rows = (count + across - 1) / across;
    const plot::Rect frame{area.min, {area.max.x, area.min.y + row * static_cast<float>(rows) + look.px(6)}};
    plot::card(look, list, frame, look.px(8), finished ? badge.ground : look.theme.panel,
               finished ? badge.ink : look.theme.border, 1);

    const float inset = look.px(padding);
    const float middle = (frame.min.y + frame.max.y) / 2;
    float x = frame.min.x + inset;
    if (finished) {
        const ImVec2 center{x + look.px(13), middle};
        plot::disc(list, look.fonts, center, look.px(13), badge.ink);
        draw_mark(list, center, look.px(6), look.px(2), badge.mark, badge.ground);
        x += look.px(36);
    }
    std::string title = "Not run yet", below = "three seeds, or one with \"fast\"";
    if (finished) {
        title = std::string("The claim ") + name(study->judgement->verdict);
        below = "in " + std::to_string(study->judgement->seeds_that_hold) + " of " +
                std::to_string(study->trials.size()) + (study->trials.size() == 1 ? " seed" : " seeds") +
                " \xC2\xB7 " + seconds_text(study->seconds);
    } else if (study && study->state == StudyView::State::failed) {
        title = "Failed";
        below = study->error;
    } else if (study) {
        title = study->state == StudyView::State::waiting ? "Waits for its turn" : "Running: " + badge.words;
        below = study->under_way;
    }
    const float room = frame.min.x + title_width - x - look.px(6);
    const std::string shown = plot::fitted(look.fonts.strong, title, room);
    const std::string note = plot::fitted(look.fonts.small, below, room);
    plot::text(list, look.fonts.strong, {x, middle - look.px(18)}, look.theme.text, shown.c_str());
    plot::text(list, look.fonts.small, {x, middle + look.px(3)},
               finished ? look.theme.text : look.theme.muted, note.c_str());
    if (study && study->state == StudyView::State::running) {
        const float top = std::round(middle + look.px(22));
        const float end = x + (room - look.px(10)) * static_cast<float>(study->progress);
        list.AddRectFilled({x, top}, {x + room - look.px(10), top + look.px(4)}, look.theme.control,
                           look.px(2));
        list.AddRectFilled({x, top}, {end, top + look.px(4)}, look.theme.grip, look.px(2));
    }

    const float width = (frame.width() - title_width - inset) / static_cast<float>(across);
    for (size_t i = 0; i < count; ++i) {
        const Criterion& criterion = experiment.criteria[i];
        const float left = frame.min.x + title_width + width * static_cast<float>(i % across);
        const float top = frame.min.y + look.px(6) + row * static_cast<float>(i / across);
        list.AddRectFilled({left, top + look.px(4)}, {left + 1, top + row - look.px(10)}, look.theme.border);
        const float at = left + look.px(12), its_room = width - look.px(18);
        const auto line = [&](float down, ImFont* font, Color color, const std::string& text) {
            plot::text(list, font, {at, top + look.px(down)}, color,
                       plot::fitted(font, text, its_room).c_str());
        };
        line(2, look.fonts.small, look.theme.text, criterion.what);
        const std::string needed = needed_text(criterion.needed, true);
        if (finished) {
            const JudgedCriterion& judged = study->judgement->criteria[i];
            const std::string median = number_text(judged.median);
            const ImVec2 size = plot::text_size(look.fonts.mono, median.c_str());
            plot::text(list, look.fonts.mono, {at, top + look.px(21)}, look.theme.text, median.c_str());
            const ImVec2 mark{at + size.x + look.px(12), top + look.px(21) + size.y / 2};
            draw_mark(list, mark, look.px(4), look.px(1.6f),
                      judged.holds ? Badge::Mark::check : Badge::Mark::cross,
                      judged.holds ? look.theme.good : look.theme.bad);
            const float after = mark.x + look.px(11);
            const std::string words =
                plot::fitted(look.fonts.small, needed, left + width - look.px(4) - after);
            plot::text(list, look.fonts.small, {after, top + look.px(22)}, look.theme.text, words.c_str());
            std::string seeds = judged.seeds.size() == 1 ? "seed 7" : "seeds";
            if (judged.seeds.size() > 1)
                for (size_t seed = 0; seed < judged.seeds.size(); ++seed)
                    seeds += (seed == 0 ? " " : " \xC2\xB7 ") + number_text(judged.seeds[seed]);
            line(40, look.fonts.small, look.theme.text, seeds);
        } else {
            line(21, look.fonts.small, look.theme.muted, needed);
        }
        ImGui::PushID(static_cast<int>(i));
        ImGui::SetCursorScreenPos({left, top});
        ImGui::InvisibleButton("criterion", {width, row});
        hint(look, (std::string("Why this bound: ") + criterion.why).c_str(), Side::below);
        ImGui::PopID();
    }
    return frame.max.y;
}

void StudyScreen::draw_figures(const Look& look, const plot::Rect& area, const Experiment& experiment) {
    const size_t count = experiment.figures.size(), across = std::min<size_t>(2, count);
    const Cells cells(look, area, across, (count + across - 1) / across);
    const auto draw_one = [&](size_t i, const plot::Rect& frame) {
        draw_figure({look, frame, i + 1, ringed_ == i + 1}, experiment.figures[i], drawn_[i], panels_[i]);
    };
    for (size_t i = 0; i < count; ++i)
        if (panels_[i].full) return draw_one(i, area);
    for (size_t i = 0; i < count; ++i) {
        // The last one of an odd number has the row to itself.
        const bool alone = i + 1 == count && i % across == 0;
        draw_one(i, cells.rect(static_cast<float>(i % across), i / across,
                               alone ? static_cast<float>(across) : 1));
    }
}

bool StudyScreen::draw(const Look& look, const plot::Rect& area, const Experiment& experiment,
                       const StudyView* study) {
    take(experiment, study);
    const float gap = look.px(8);
    plot::Rect rest = area;
    rest.min.y = std::round(draw_words(look, rest, experiment, study) + gap);
    rest.min.y = std::round(draw_verdict(look, rest, experiment, study) + gap);
    draw_figures(look, rest, experiment);
    return again_;
}

}  // namespace lab
