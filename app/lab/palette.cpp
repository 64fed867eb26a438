#include "app/lab/palette.hpp"

#include <algorithm>
#include <cmath>
#include <imgui.h>

#include "app/experiment/fields.hpp"
#include "app/lab/match.hpp"

namespace lab {

namespace {

constexpr float dialog_width = 620, top = 60, padding = 14, row_height = 28, line_height = 38;
constexpr size_t most_rows = 14;

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
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (rows.empty())
        plot::text(list, look.fonts.body, ImGui::GetCursorScreenPos(), look.theme.muted, "Nothing");
    // The selected one is in sight.
    const size_t first = selected_ < most_rows ? 0 : selected_ - most_rows + 1;
    for (size_t i = first; i < std::min(rows.size(), first + most_rows); ++i) {
        const PaletteEntry& entry = *rows[i];
        const ImVec2 at = ImGui::GetCursorScreenPos(), size{width, look.px(row_height)};
        ImGui::PushID(static_cast<int>(i));
        const bool clicked = ImGui::InvisibleButton("row", size);
        if (ImGui::IsItemHovered() && (ImGui::GetIO().MouseDelta.x != 0 || ImGui::GetIO().MouseDelta.y != 0))
            selected_ = i;
        ImGui::PopID();
        if (i == selected_)
            list.AddRectFilled(at, {at.x + size.x, at.y + size.y}, ImGui::GetColorU32(ImGuiCol_Header),
                               look.px(5));
        const float middle = at.y + size.y / 2, small = look.fonts.small->FontSize / 2;
        plot::text(list, look.fonts.small, {at.x + look.px(8), middle - small}, look.theme.muted,
                   entry.kind.c_str());
        const float left = at.x + look.px(92), inset = look.px(10);
        const std::string detail = plot::fitted(look.fonts.mono, entry.detail, look.px(150));
        const float detail_width = plot::text_size(look.fonts.mono, detail.c_str()).x;
        const float right = at.x + size.x - inset - detail_width;
        const std::string name = plot::fitted(look.fonts.body, entry.name, right - look.px(10) - left);
        plot::text(list, look.fonts.body, {left, middle - look.fonts.body->FontSize / 2}, look.theme.text,
                   name.c_str());
        plot::text(list, look.fonts.mono, {right, middle - look.fonts.mono->FontSize / 2}, look.theme.muted,
                   detail.c_str());
        ImGui::SetCursorScreenPos({at.x, at.y + size.y});
        if (clicked) choose(entry);
    }
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
    const size_t count = asked == entries.end() ? std::clamp<size_t>(rows.size(), 1, most_rows) : 2;
    const float width = look.px(dialog_width), inset = look.px(padding);
    const float height = 2 * inset + look.px(line_height) + static_cast<float>(count) * look.px(row_height);
    const ImVec2 corner{std::round((size.x - width) / 2), look.px(top)};
    if (!begin_dialog(id, {corner, {corner.x + width, corner.y + height}})) return;
    if (typed != typed_) selected_ = 0;
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
        const auto last = static_cast<std::ptrdiff_t>(std::max<size_t>(rows.size(), 1)) - 1;
        selected_ = static_cast<size_t>(std::clamp<std::ptrdiff_t>(
            static_cast<std::ptrdiff_t>(selected_) + arrows_while_typing(), 0, last));
        draw_rows(look, rows, width - 2 * inset);
        if (entered && selected_ < rows.size()) choose(*rows[selected_]);
    }
    ImGui::EndPopup();
}

}  // namespace lab
