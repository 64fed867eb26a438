#include "app/lab/status_bar.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "app/lab/findings.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float gap = 16, padding = 8;  // between its parts, in a button

/// A few words and a button about them.
struct Offer {
    std::string words;
    const char* button;
    const char* note;
    bool* clicked;
};

float offer_width(const Look& look, const Offer& offer) {
    return plot::text_size(look.fonts.small, offer.words.c_str()).x +
           plot::text_size(look.fonts.small, offer.button).x + look.px(gap + 3 * padding);
}

void draw_offer(const Look& look, ImDrawList& list, float left, float middle, const Offer& offer) {
    const ImVec2 words = plot::text_size(look.fonts.small, offer.words.c_str()),
                 label = plot::text_size(look.fonts.small, offer.button);
    plot::text(list, look.fonts.small, {left, middle - words.y / 2}, look.theme.text, offer.words.c_str());
    const ImVec2 min{std::round(left + words.x + look.px(padding)), std::round(middle - look.px(10))};
    const ImVec2 size{label.x + look.px(2 * padding), look.px(20)};
    ImGui::SetCursorScreenPos(min);
    *offer.clicked = press_area(look, offer.button, size);
    const bool hovered = ImGui::IsItemHovered();
    hint(look, offer.note, Side::above);
    const ImVec2 max{min.x + size.x, min.y + size.y};
    list.AddRectFilled(min, max, hovered ? mixed(look.theme.accent, rgb(0xFFFFFF), 0.12f) : look.theme.accent,
                       look.px(5));
    plot::text(list, look.fonts.small, {min.x + look.px(padding), middle - label.y / 2}, look.theme.on_accent,
               offer.button);
}

/// A button of few words, `text_left` after its left edge; returns whether it was pressed.
bool draw_chip(const Look& look, ImDrawList& list, const plot::Rect& chip, const char* id, const char* note,
               float text_left, const std::string& words) {
    ImGui::SetCursorScreenPos(chip.min);
    const bool clicked = press_area(look, id, {chip.width(), chip.height()});
    const bool hovered = ImGui::IsItemHovered();
    hint(look, note, Side::above);
    list.AddRectFilled(chip.min, chip.max, hovered ? look.theme.control_hovered : look.theme.control,
                       look.px(5));
    if (!look.theme.dark) list.AddRect(chip.min, chip.max, look.theme.control_border, look.px(5));
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    plot::text(list, look.fonts.small, {chip.min.x + text_left, (chip.min.y + chip.max.y - size.y) / 2},
               look.theme.text, words.c_str());
    return clicked;
}

plot::Rect chip_from(const Look& look, const plot::Rect& frame, float left, float width) {
    const float top = std::round((frame.min.y + frame.max.y) / 2 - look.px(10));
    return {{left, top}, {left + width, top + look.px(20)}};
}

// What the linter found, in short; a click tells the rest. Returns where it ends.
float draw_findings_chip(const Look& look, ImDrawList& list, const plot::Rect& frame,
                         std::span<const Finding> found, bool& clicked) {
    const std::string words = findings_in_words(found);
    const float text_left = look.px(24);
    const plot::Rect chip =
        chip_from(look, frame, frame.min.x,
                  text_left + plot::text_size(look.fonts.small, words.c_str()).x + look.px(padding));
    clicked = draw_chip(look, list, chip, "findings",
                        "What the linter found in this run, why it matters, and what mends it. W", text_left,
                        words);
    plot::disc(list, look.fonts, {chip.min.x + look.px(14), (frame.min.y + frame.max.y) / 2}, look.px(4.5f),
               found.empty() ? look.theme.good : severity_color(look.theme, found.front().severity));
    return chip.max.x;
}

// Returns where it begins.
float draw_share_chip(const Look& look, ImDrawList& list, const plot::Rect& frame, bool& clicked) {
    const char* const words = "Share";
    const float width = plot::text_size(look.fonts.small, words).x + look.px(2 * padding);
    const plot::Rect chip = chip_from(look, frame, std::round(frame.max.x - width), width);
    clicked = draw_chip(look, list, chip, "share",
                        "Copies all settings as a line of text: Ctrl + C. Ctrl + V opens such a line.",
                        look.px(padding), words);
    return chip.min.x;
}

std::vector<Offer> offers(const StatusFrame& status, StatusClicks& clicks) {
    std::vector<Offer> all;
    const auto& twins = status.run.twins;
    const auto diverged = static_cast<size_t>(std::count_if(
        twins.begin(), twins.end(), [](const TwinView& twin) { return twin.divergence.has_value(); }));
    if (diverged > 0 && diverged < twins.size()) {
        const bool pauses = status.settings.pause_on_divergence;
        all.push_back({pauses ? "a divergence pauses all" : "the others go on", pauses ? "Go on" : "Pause",
                       "What happens when a twin diverges, now and from now on",
                       &clicks.pause_on_divergence});
    }
    if (status.zoomed_to)
        all.push_back({"zoomed: steps " + plot::whole_number(status.zoomed_to->low) + " to " +
                           plot::whole_number(status.zoomed_to->high),
                       "See all", "A double click in a plot does it, too", &clicks.see_all});
    return all;
}

// The facts of the run, from all of them to none.
std::vector<std::string> facts(const Snapshot& run) {
    const std::string seed = "seed " + std::to_string(run.settings.seed), dot = "  \xC2\xB7  ";
    std::vector<std::string> less = {"", seed};
    if (run.parameters > 0)
        less.push_back(seed + dot + plot::short_number(static_cast<double>(run.parameters)) +
                       " parameters each");
    if (!run.device.empty()) less.push_back(less.back() + dot + run.device.substr(0, run.device.find(" (")));
    if (!run.device.empty()) less.push_back(less[less.size() - 2] + dot + run.device);
    std::reverse(less.begin(), less.end());
    return less;
}

}  // namespace

StatusClicks draw_status_bar(const Look& look, const StatusFrame& status) {
    StatusClicks clicks;
    const Snapshot& run = status.run;
    const plot::Rect& frame = status.frame;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = (frame.min.y + frame.max.y) / 2;
    Color mark = run.running ? look.theme.good : look.theme.faint;
    std::string words = run.running ? "Training" : run.step == 0 ? "Ready. Space runs." : "Paused";
    if (&status.then != &run) words += ", looking back at step " + std::to_string(status.then.step);
    if (!status.note.empty()) {
        words = status.note;
        mark = look.theme.grip;
    } else if (!run.message.empty()) {
        words = run.message;
        mark = run.severity == Severity::error     ? look.theme.bad
               : run.severity == Severity::warning ? look.theme.warning
                                                   : look.theme.grip;
    }
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    const float mark_left = draw_findings_chip(look, list, frame, status.found, clicks.findings);
    const float left = mark_left + look.px(26);
    float offered = 0;
    const std::vector<Offer> all = offers(status, clicks);
    for (const Offer& offer : all) offered += offer_width(look, offer);

    float right = draw_share_chip(look, list, frame, clicks.share) - look.px(padding);
    for (const std::string& words_at_right : facts(run)) {
        const ImVec2 its = plot::text_size(look.fonts.small, words_at_right.c_str());
        if (left + size.x + look.px(gap) + offered + its.x > right && !words_at_right.empty()) continue;
        right -= its.x;
        plot::text(list, look.fonts.small, {right, middle - its.y / 2}, look.theme.muted,
                   words_at_right.c_str());
        break;
    }

    plot::disc(list, look.fonts, {mark_left + look.px(14), middle}, look.px(4.5f), mark);
    const float words_end = std::min(left + size.x, right - offered - look.px(gap));
    list.PushClipRect(frame.min, {words_end + look.px(2), frame.max.y}, true);
    plot::text(list, look.fonts.small, {left, middle - size.y / 2},
               run.message.empty() ? look.theme.muted : look.theme.text, words.c_str());
    list.PopClipRect();
    float x = words_end + look.px(gap);
    for (const Offer& offer : all) {
        draw_offer(look, list, x, middle, offer);
        x += offer_width(look, offer);
    }
    return clicks;
}

}  // namespace lab
