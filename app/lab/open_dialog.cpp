#include "app/lab/open_dialog.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <imgui.h>
#include <stdexcept>

#include "app/experiment/found_data.hpp"
#include "app/lab/match.hpp"
#include "app/ui/explanation.hpp"

namespace lab {

namespace {

namespace fs = std::filesystem;

constexpr float dialog_width = 620, top = 60, padding = 14, title_height = 26, line_height = 38,
                note_height = 58;
constexpr const char *up = "..", *this_folder = "Open this folder";

/// A path as typed, in three parts.
struct TypedPath {
    fs::path folder;
    std::string name, choice;
};
TypedPath parts_of(std::string typed, const fs::path& from) {
    TypedPath parts;
    if (const size_t mark = typed.rfind('#'); mark != std::string::npos) {
        parts.choice = typed.substr(mark + 1);
        typed.resize(mark);
    }
    const char* const home = std::getenv("HOME");
    if (home && (typed == "~" || typed.starts_with("~/"))) typed = home + ("/" + typed.substr(1));
    const size_t slash = typed.rfind('/');
    parts.name = slash == std::string::npos ? typed : typed.substr(slash + 1);
    parts.folder = slash == std::string::npos ? from : in_full(from / typed.substr(0, slash + 1));
    return parts;
}

/// As much of the end of a path as there is room for.
std::string end_of(ImFont* font, const std::string& path, float width) {
    std::string shown = path;
    while (plot::text_size(font, shown.c_str()).x > width) {
        const size_t slash = shown.find('/', shown.starts_with("../") ? 3 : 1);
        if (slash == std::string::npos) return plot::fitted(font, shown, width);
        shown = ".." + shown.substr(slash);
    }
    return shown;
}

}  // namespace

void OpenDialog::begin(const fs::path& first) {
    if (folder_.empty()) folder_ = in_full(first.empty() ? "." : first);
    line_.set("");
    list(folder_);
}

void OpenDialog::list(const fs::path& folder) {
    listed_ = folder;
    rows_.clear();
    unreadable_.clear();
    FolderContents contents;
    try {
        contents = contents_of(folder);
    } catch (const std::invalid_argument& why) {
        unreadable_ = why.what();
    }
    Row own{this_folder, folder, false};
    find_out(own);
    if (!own.greyed) rows_.push_back(own);
    if (folder.has_relative_path()) rows_.push_back({up, in_full(folder / ".."), true, true});
    for (const std::string& name : contents.folders) rows_.push_back({name, folder / name, true});
    for (const std::string& name : contents.files) rows_.push_back({name, folder / name, false});
    shown_.selected = own.greyed && rows_.size() > 1 && rows_.front().name == up ? 1 : 0;
}

void OpenDialog::find_out(Row& row) {
    if (row.known) return;
    row.known = true;
    try {
        if (row.folder) contents_of(row.path);
    } catch (const std::invalid_argument& why) {
        row.note = why.what();
        row.greyed = true;
        return;
    }
    try {
        const DataFile file = find_data({row.path});
        row.kind = name_of(*file.format);
        row.note = row.folder ? "Enter looks into it; there it opens as " + row.kind
                              : "Enter opens it as " + row.kind + ". What is typed behind a # chooses: #" +
                                    file.format->choice;
    } catch (const std::invalid_argument& why) {
        row.note = row.folder ? "" : why.what();
        row.greyed = !row.folder;
    }
}

std::vector<OpenDialog::Row*> OpenDialog::fitting(const std::string& typed) {
    std::vector<std::pair<float, Row*>> found;
    for (Row& row : rows_) {
        const bool hidden = row.name.starts_with('.') && row.name != up && !typed.starts_with('.');
        if (const auto cost = match(typed, row.name);
            cost && !hidden && (typed.empty() || row.name != this_folder))
            found.emplace_back(*cost, &row);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Row*> rows;
    for (const auto& [cost, row] : found) rows.push_back(row);
    return rows;
}

std::optional<OpenDialog::Opened> OpenDialog::choose(const Row& row, const std::string& choice) {
    if (row.greyed) return std::nullopt;
    if (!row.folder) {
        folder_ = listed_;
        ImGui::CloseCurrentPopup();
        return Opened{row.path, choice};
    }
    folder_ = row.path;
    line_.set("");
    list(folder_);
    return std::nullopt;
}

std::optional<OpenDialog::Opened> OpenDialog::draw(const Look& look, ImVec2 size) {
    if (!ImGui::IsPopupOpen(id)) return std::nullopt;
    const std::string typed = line_.text.data();
    const TypedPath path = parts_of(typed, folder_);
    if (path.folder != listed_) list(path.folder);
    if (typed != std::exchange(typed_, typed) && !path.name.empty()) shown_.selected = 0;
    const float width = look.px(dialog_width), inset = look.px(padding), inner = width - 2 * inset;
    const float rows_height = look.px(DialogRows::height) * static_cast<float>(DialogRows::most);
    const float height = 2 * inset + look.px(title_height + line_height + note_height) + rows_height;
    const ImVec2 corner{std::round((size.x - width) / 2), look.px(top)};
    if (!begin_dialog(id, {corner, {corner.x + width, corner.y + height}})) return std::nullopt;

    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float left = corner.x + inset;
    float y = corner.y + inset;
    plot::text(list, look.fonts.strong, {left, y}, look.theme.text,
               end_of(look.fonts.strong, listed_.string(), inner).c_str());
    y += look.px(title_height);
    ImGui::SetCursorScreenPos({left, y});
    const bool entered = line_.draw(look, "Type a name or a path", inner);
    y += look.px(line_height);

    ImGui::SetCursorScreenPos({left, y});
    const std::vector<Row*> rows = fitting(path.name);
    const auto pressed = shown_.draw(look, rows.size(), inner, [&](size_t i) {
        Row& row = *rows[i];
        find_out(row);
        return DialogRow{row.folder || row.name == this_folder ? "folder" : "file", row.name,
                         row.greyed ? "not data" : row.kind, row.greyed};
    });
    const Row* const selected = shown_.selected < rows.size() ? rows[shown_.selected] : nullptr;
    const std::string note = !unreadable_.empty() ? unreadable_
                             : selected           ? selected->note
                                                  : "Nothing here is called " + path.name;
    y += rows_height + look.px(8);
    const WrappedText wrapped{look.fonts.small, inner};
    wrapped.draw(list, {left, y}, look.theme.muted, note.c_str());
    std::optional<Opened> opened;
    if (pressed)
        opened = choose(*rows[*pressed], path.choice);
    else if (entered && selected)
        opened = choose(*selected, path.choice);
    ImGui::EndPopup();
    return opened;
}

}  // namespace lab
