#include "app/lab/findings.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/lab/dialog.hpp"
#include "app/ui/explanation.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float dialog_width = 640, padding = 18, heading = 34, mark_width = 84, gap = 12;
constexpr float line_gap = 4, tallest = 560;
constexpr const char* all_is_well = "Nothing is wrong with this run, as far as is looked for.";

const char* name_of(Severity severity) {
    return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

/// How a finding is laid out.
struct Row {
    WrappedText what, why;
    float button;  ///< its height; 0: there is none

    Row(const Look& look, float width, const Finding& finding)
        : what{look.fonts.body, width},
          why{look.fonts.small, width},
          button(finding.fix ? look.px(tool_height + 8) : 0) {}
    float height(const Look& look, const Finding& finding) const {
        return what.height(finding.what.c_str()) + look.px(line_gap) + why.height(finding.why) + button +
               look.px(gap);
    }
};

}  // namespace

Color severity_color(const Theme& theme, Severity severity) {
    return severity == Severity::error     ? theme.bad
           : severity == Severity::warning ? theme.warning
                                           : theme.grip;
}

std::string findings_in_words(std::span<const Finding> found) {
    const auto counted = [](auto count, const char* what) {
        return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
    };
    const auto notes = std::count_if(found.begin(), found.end(), [](const Finding& finding) {
        return finding.severity == Severity::note;
    });
    const auto graver = static_cast<std::ptrdiff_t>(found.size()) - notes;
    if (graver > 0) return counted(graver, "finding");
    return notes > 0 ? counted(notes, "note") : "nothing found";
}

std::optional<Fix> draw_findings(const Look& look, ImVec2 corner, std::span<const Finding> found) {
    if (!ImGui::IsPopupOpen(findings_id)) return {};
    const float inset = look.px(padding), inner = look.px(dialog_width) - 2 * inset;
    const float words_width = inner - look.px(mark_width) - look.px(14);
    float height = 0;
    for (const Finding& finding : found) height += Row(look, words_width, finding).height(look, finding);
    if (found.empty()) height = look.px(24);
    const float shown = std::min(height, look.px(tallest));
    const float all = shown + 2 * inset + look.px(heading);
    if (!begin_dialog(findings_id,
                      {{corner.x, corner.y - all}, {corner.x + look.px(dialog_width), corner.y}}))
        return {};

    const float left = corner.x + inset, top = corner.y - all + inset;
    plot::text(*ImGui::GetWindowDrawList(), look.fonts.strong, {left, top}, look.theme.text,
               "What the linter found");
    ImGui::SetCursorScreenPos({left, top + look.px(heading)});
    ImGui::BeginChild("all", {inner, shown});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    std::optional<Fix> chosen;
    ImVec2 at = ImGui::GetCursorScreenPos();
    if (found.empty()) plot::text(list, look.fonts.body, at, look.theme.text, all_is_well);
    for (size_t i = 0; i < found.size(); ++i) {
        const Finding& finding = found[i];
        const Row row(look, words_width, finding);
        const Color color = severity_color(look.theme, finding.severity);
        plot::disc(list, look.fonts, {at.x + look.px(6), at.y + look.px(9)}, look.px(4.5f), color);
        plot::text(list, look.fonts.small, {at.x + look.px(18), at.y + look.px(1)}, look.theme.muted,
                   name_of(finding.severity));
        const float words = at.x + look.px(mark_width);
        float y = at.y + row.what.draw(list, {words, at.y}, look.theme.text, finding.what.c_str());
        y += look.px(line_gap);
        y += row.why.draw(list, {words, y}, look.theme.muted, finding.why);
        if (finding.fix) {
            ImGui::PushID(static_cast<int>(i));
            ImGui::SetCursorScreenPos({words, y + look.px(8)});
            const std::string label = "Fix it: " + finding.fix->label;
            if (tool_button(look, "fix", label.c_str(), Icon::none, false)) chosen = finding.fix;
            ImGui::PopID();
        }
        at.y += row.height(look, finding);
    }
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({1, 1});
    ImGui::EndChild();
    ImGui::EndPopup();
    return chosen;
}

}  // namespace lab
