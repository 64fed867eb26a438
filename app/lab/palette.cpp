#include "app/lab/palette.hpp"

#include <algorithm>
#include <cmath>
#include <imgui.h>

#include "app/experiment/fields.hpp"
#include "app/lab/match.hpp"

namespace lab {

namespace {

constexpr float dialog_width = 620, top = 60, padding = 14, line_height = 38;

std::string full_name(const PaletteEntry& entry) {
    return entry.kind + ": " + entry.name;
}

}  // namespace

std::vector<const PaletteEntry*> matching(std::span<const PaletteEntry> entries, const std::string& typed) {
    std::vector<std::pair<float, const PaletteEntry*>> fitting;
    for (const PaletteEntry& entry : entries)
        // The name counts first; what is found by its kind comes later.
        if (const auto by_name = match(typed, entry.name))
            fitting.emplace_back(*by_name, &entry);
        else if (const auto by_both = match(typed, full_name(entry)))
            fitting.emplace_back(*by_both + 1, &entry);
    std::stable_sort(fitting.begin(), fitting.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<const PaletteEntry*> rows;
    for (const auto& [cost, entry] : fitting) rows.push_back(entry);
    return rows;
}

void Palette::choose(const PaletteEntry& entry) {
    complaint_.clear();
    if (!entry.form.empty() && asks_for_.empty()) {
        asks_for_ = full_name(entry);
        line_.set("");
        return;
    }
    try {
        entry.act(line_.text.data());
        ImGui::CloseCurrentPopup();
    } catch (const Unfit& unfit) {
        complaint_ = unfit.what();
    }
}

void Palette::draw_rows(const Look& look, std::span<const PaletteEntry* const> rows, float width) {
    if (rows.empty())
        plot::text(*ImGui::GetWindowDrawList(), look.fonts.body, ImGui::GetCursorScreenPos(),
                   look.theme.muted, "Nothing");
    const auto pressed = rows_.draw(look, rows.size(), width, [&](size_t i) {
        return DialogRow{rows[i]->kind, rows[i]->name, rows[i]->detail};
    });
    if (pressed) choose(*rows[*pressed]);
}

void Palette::draw_value(const Look& look, const PaletteEntry& entry) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::string words = entry.name + ", now " + entry.detail + ": type " + entry.form + ", then Enter";
    plot::text(list, look.fonts.small, {at.x + look.px(8), at.y + look.px(4)}, look.theme.muted,
               words.c_str());
    plot::text(list, look.fonts.small, {at.x + look.px(8), at.y + look.px(24)}, look.theme.bad,
               complaint_.c_str());
}

void Palette::draw(const Look& look, ImVec2 size, std::span<const PaletteEntry> entries) {
    const auto asked = std::find_if(entries.begin(), entries.end(), [&](const PaletteEntry& entry) {
        return !asks_for_.empty() && full_name(entry) == asks_for_;
    });
    const std::string typed = line_.text.data();
    const std::vector<const PaletteEntry*> rows =
        asked == entries.end() ? matching(entries, typed) : std::vector<const PaletteEntry*>();
    const size_t count = asked == entries.end() ? std::clamp<size_t>(rows.size(), 1, DialogRows::most) : 2;
    const float width = look.px(dialog_width), inset = look.px(padding);
    const float height =
        2 * inset + look.px(line_height) + static_cast<float>(count) * look.px(DialogRows::height);
    const ImVec2 corner{std::round((size.x - width) / 2), look.px(top)};
    if (!begin_dialog(id, {corner, {corner.x + width, corner.y + height}})) return;
    if (typed != typed_) rows_.selected = 0;
    typed_ = typed;
    ImGui::SetCursorScreenPos({corner.x + inset, corner.y + inset});
    const bool entered = line_.draw(
        look, asked == entries.end() ? "Find an action, a setting, a plot, a word" : asked->form.c_str(),
        width - 2 * inset);
    ImGui::SetCursorScreenPos({corner.x + inset, corner.y + inset + look.px(line_height)});
    if (asked != entries.end()) {
        draw_value(look, *asked);
        if (entered) choose(*asked);
    } else {
        draw_rows(look, rows, width - 2 * inset);
        if (entered && rows_.selected < rows.size()) choose(*rows[rows_.selected]);
    }
    ImGui::EndPopup();
}

}  // namespace lab
