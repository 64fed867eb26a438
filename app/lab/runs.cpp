#include "app/lab/runs.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "app/lab/panels/ghosts.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float row_height = 22, heading = 28, padding = 12, pin_width = 26;
constexpr size_t most_rows = 5;  // of kept runs, the latest

// A pin, upright, and filled where it holds.
void draw_pin(const Look& look, ImDrawList& list, ImVec2 center, bool filled, Color color) {
    const ImVec2 head{center.x, center.y - look.px(2)};
    const float radius = look.px(3.6f);
    plot::disc(list, look.fonts, head, radius + look.px(0.8f), color);
    if (!filled) plot::disc(list, look.fonts, head, radius - look.px(0.8f), look.theme.panel);
    const ImVec2 needle[2] = {{center.x, head.y + radius}, {center.x, center.y + look.px(6.5f)}};
    plot::stroke(list, needle, color, look.px(1.4f));
}

// Returns where the words end.
float say(const Look& look, ImDrawList& list, ImVec2 at, Color color, const std::string& words) {
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    plot::text(list, look.fonts.small, {at.x, at.y - size.y / 2}, color, words.c_str());
    return at.x + size.x;
}

std::string note_of(const KeptRun& kept) {
    std::string note =
        kept.run->change.empty() ? "It was begun again." : "Ended by " + kept.run->change + ".";
    note +=
        kept.alive ? " A click goes on with it." : " Its networks are gone: a click begins a run like it.";
    return note + " Pinned runs stay in the plots.";
}

}  // namespace

float runs_height(const Look& look, size_t kept) {
    if (kept == 0) return 0;
    return look.px(heading + row_height * static_cast<float>(1 + std::min(kept, most_rows)) + 6);
}

void draw_runs(const Look& look, const plot::Rect& frame, const Snapshot& run, Commands& commands) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    const float left = frame.min.x + look.px(padding), right = frame.max.x - look.px(padding);
    const ImVec2 title = plot::text_size(look.fonts.strong, "Runs");
    plot::text(list, look.fonts.strong, {left, frame.min.y + look.px(heading / 2) - title.y / 2},
               look.theme.text, "Runs");
    float y = frame.min.y + look.px(heading);
    const auto swatch = [&](float middle, Color color) {
        list.AddRectFilled({left, std::round(middle - look.px(1.5f))},
                           {left + look.px(14), std::round(middle + look.px(1.5f))}, color, look.px(1));
    };
    const float words = left + look.px(22);
    swatch(y + look.px(row_height / 2), look.theme.twins[0]);
    say(look, list, {words, y + look.px(row_height / 2)}, look.theme.text, run_name(run.run) + ", now");
    y += look.px(row_height);

    ImGui::PushID("runs");
    const std::vector<const PastRun*> drawn = ghosts(run);
    const size_t rows = std::min(run.kept.size(), most_rows);
    for (size_t i = run.kept.size(); i-- > run.kept.size() - rows;) {
        const KeptRun& kept = run.kept[i];
        const PastRun& past = *kept.run;
        const float middle = y + look.px(row_height / 2);
        ImGui::PushID(static_cast<int>(past.number));
        ImGui::SetCursorScreenPos({left, y});
        if (press_area(look, "row", {right - left - look.px(pin_width), look.px(row_height)}))
            commands.bring_back(past.number);
        const bool hovered = ImGui::IsItemHovered();
        hint(look, note_of(kept).c_str());
        if (std::find(drawn.begin(), drawn.end(), &past) != drawn.end()) swatch(middle, look.theme.ghost);
        const float end = say(look, list, {words, middle}, hovered ? look.theme.text : look.theme.muted,
                              run_name(past.number));
        say(look, list, {end + look.px(10), middle}, look.theme.muted, "step " + std::to_string(past.step));

        ImGui::SetCursorScreenPos({right - look.px(pin_width), y});
        if (press_area(look, "pin", {look.px(pin_width), look.px(row_height)}))
            commands.pin(past.number, !kept.pinned);
        const bool over = ImGui::IsItemHovered();
        hint(look,
             kept.pinned ? "Let it go when later runs are kept" : "Keep it in the plots, whatever comes");
        draw_pin(look, list, {right - look.px(pin_width / 2 - 6), middle}, kept.pinned,
                 kept.pinned ? look.theme.grip
                 : over      ? look.theme.text
                             : look.theme.muted);
        ImGui::PopID();
        y += look.px(row_height);
    }
    ImGui::PopID();
}

}  // namespace lab
