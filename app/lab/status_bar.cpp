#include "app/lab/status_bar.hpp"

#include "app/ui/scale.hpp"

namespace lab {

void draw_status_bar(const Look& look, const plot::Rect& frame, const Snapshot& run,
                     const std::string& note) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = (frame.min.y + frame.max.y) / 2;
    Color mark = run.running ? look.theme.good : look.theme.faint;
    std::string words = run.running ? "Training" : run.step == 0 ? "Ready. Space runs." : "Paused";
    if (!run.message.empty()) {
        words = run.message;
        mark = run.severity == Severity::error     ? look.theme.bad
               : run.severity == Severity::warning ? look.theme.warning
                                                   : look.theme.grip;
    } else if (!note.empty()) {
        words = note;
        mark = look.theme.grip;
    }
    std::string facts = "seed " + std::to_string(run.settings.seed);
    if (run.parameters > 0)
        facts +=
            "  \xC2\xB7  " + plot::short_number(static_cast<double>(run.parameters)) + " parameters each";
    if (!run.device.empty()) facts += "  \xC2\xB7  " + run.device;
    const ImVec2 facts_size = plot::text_size(look.fonts.small, facts.c_str());
    const float facts_left = frame.max.x - look.px(8) - facts_size.x;
    plot::text(list, look.fonts.small, {facts_left, middle - facts_size.y / 2}, look.theme.muted,
               facts.c_str());

    plot::disc(list, look.fonts, {frame.min.x + look.px(14), middle}, look.px(4.5f), mark);
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    list.PushClipRect(frame.min, {facts_left - look.px(16), frame.max.y}, true);
    plot::text(list, look.fonts.small, {frame.min.x + look.px(26), middle - size.y / 2},
               run.message.empty() ? look.theme.muted : look.theme.text, words.c_str());
    list.PopClipRect();
}

}  // namespace lab
