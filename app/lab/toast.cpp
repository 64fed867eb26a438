#include "app/lab/toast.hpp"

#include <algorithm>
#include <cmath>

#include "app/experiment/events.hpp"
#include "app/experiment/found_data.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr double seconds = 15;
constexpr float padding = 10, cross = 22;

// What a run began with whose data were opened.
std::string opened_in_words(const Settings& before, const Snapshot& run) {
    std::string words = found_in_words(run.settings, run.origin);
    for (const ChangedSetting& changed : changed_settings(before, run.settings))
        // Smaller batches than asked for have a note of their own.
        if (changed.field != &field_named("data") &&
            (changed.field != &field_named("batch") || run.batch_note.empty()))
            words += ", " + name_of(*changed.field, changed.twin) + " " +
                     text_of(*changed.field, run.settings, changed.twin);
    return words + "; began run " + std::to_string(run.run);
}

}  // namespace

void Toast::watch(const Snapshot& run) {
    if (run.run == run_) return;
    const bool begun = run.run > newest_run_ && run_ > 0;  // or else an old one came back
    const KeptRun* const left = run.find_kept(run_);
    until_ = 0;
    const bool opened = begun && run.settings.data == Data::file && !same_data(settings_, run.settings);
    if (opened || (begun && left)) {
        const std::string number = std::to_string(run.run);
        words_ = opened                      ? opened_in_words(settings_, run)
                 : left->run->change.empty() ? "Reset began run " + number
                                             : "Restarted: " + left->run->change + " began run " + number;
        if (left) words_ += ". Run " + std::to_string(run_) + " is kept.";
        until_ = ImGui::GetTime() + seconds;
    }
    run_ = run.run;
    settings_ = run.settings;
    newest_run_ = std::max(newest_run_, run.run);
}

bool Toast::shown() const {
    return ImGui::GetTime() < until_;
}

bool Toast::draw(const Look& look, const plot::Rect& area) {
    if (!shown()) return false;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float button = plot::text_size(look.fonts.small, "Undo").x + look.px(2 * padding),
                others = button + look.px(3 * padding + cross);
    const std::string words = plot::fitted(look.fonts.small, words_, area.width() - others);
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    const plot::Rect box{{std::round(area.max.x - size.x - others), area.min.y}, area.max};
    const float middle = (box.min.y + box.max.y) / 2;
    plot::card(look, list, box, look.px(6), look.theme.control, look.theme.grip, 1);
    plot::text(list, look.fonts.small, {box.min.x + look.px(padding), middle - size.y / 2}, look.theme.text,
               words.c_str());

    const plot::Rect undo{{box.min.x + size.x + look.px(2 * padding), box.min.y + look.px(4)},
                          {box.min.x + size.x + look.px(2 * padding) + button, box.max.y - look.px(4)}};
    ImGui::SetCursorScreenPos(undo.min);
    const bool pressed = press_area(look, "toast undo", {undo.width(), undo.height()});
    list.AddRectFilled(
        undo.min, undo.max,
        ImGui::IsItemHovered() ? mixed(look.theme.accent, rgb(0xFFFFFF), 0.12f) : look.theme.accent,
        look.px(5));
    hint(look, "Brings that run back: its settings, networks and curves. Ctrl + Z", Side::below);
    plot::text(list, look.fonts.small, {undo.min.x + look.px(padding), middle - size.y / 2},
               look.theme.on_accent, "Undo");

    const ImVec2 close{box.max.x - look.px(cross / 2 + 2), middle};
    ImGui::SetCursorScreenPos({close.x - look.px(cross / 2), box.min.y});
    if (press_area(look, "toast close", {look.px(cross), box.height()})) until_ = 0;
    const Color ink = ImGui::IsItemHovered() ? look.theme.text : look.theme.muted;
    for (const float slope : {-1.0f, 1.0f}) {
        const float reach = look.px(3.5f);
        const ImVec2 bar[2] = {{close.x - reach, close.y - slope * reach},
                               {close.x + reach, close.y + slope * reach}};
        plot::stroke(list, bar, ink, look.px(1.4f));
    }
    // How long it stays.
    const auto left = static_cast<float>((until_ - ImGui::GetTime()) / seconds);
    list.AddRectFilled(
        {box.min.x + look.px(6), box.max.y - look.px(2)},
        {box.min.x + look.px(6) + (box.width() - look.px(12)) * std::clamp(left, 0.0f, 1.0f), box.max.y},
        look.theme.grip);
    if (pressed) until_ = 0;
    return pressed;
}

}  // namespace lab
