#include "app/plot/panel.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/ui/drawn_plots.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

// The four corners of a frame, or of a smaller one inside it.
void draw_expand_icon(ImDrawList& list, ImVec2 center, float reach, float width, bool inward, Color color) {
    for (const float sx : {-1.0f, 1.0f})
        for (const float sy : {-1.0f, 1.0f}) {
            const float corner = inward ? reach * 0.35f : reach, arm = inward ? reach : reach * 0.3f;
            const ImVec2 points[3] = {{center.x + sx * arm, center.y + sy * corner},
                                      {center.x + sx * corner, center.y + sy * corner},
                                      {center.x + sx * corner, center.y + sy * arm}};
            stroke(list, points, color, width);
        }
}

bool hit_area(const Look& look, const char* id, const Rect& rect) {
    ImGui::SetCursorScreenPos(rect.min);
    return press_area(look, id, {std::max(rect.width(), 1.0f), std::max(rect.height(), 1.0f)});
}

/// How a legend is spaced.
struct Spacing {
    float swatch, gap, between;  // width of the swatch, from it to the words, from entry to entry
};
constexpr Spacing roomy{14, 5, 12}, tight{9, 4, 7};

float legend_width(const Look& look, std::span<const LegendEntry> legend, const Spacing& spacing) {
    float width = 0;
    for (const LegendEntry& entry : legend)
        width += look.px(spacing.swatch + spacing.gap + spacing.between) +
                 text_size(look.fonts.small, entry.label.c_str()).x;
    return width;
}

std::vector<LegendEntry> shortened(std::span<const LegendEntry> legend) {
    std::vector<LegendEntry> result(legend.begin(), legend.end());
    for (LegendEntry& entry : result)
        if (!entry.brief.empty()) entry.label = entry.brief;
    return result;
}

// Laid out from `right` leftwards.
void draw_legend(const Look& look, ImDrawList& list, float right, float middle,
                 std::span<const LegendEntry> legend, const Spacing& spacing, bool toggles,
                 PanelState& state) {
    float x = right;
    for (size_t i = legend.size(); i-- > 0;) {
        const LegendEntry& entry = legend[i];
        const float width =
            look.px(spacing.swatch + spacing.gap) + text_size(look.fonts.small, entry.label.c_str()).x;
        x -= width;
        const Rect area{{x - look.px(4), middle - look.px(10)},
                        {x + width + look.px(4), middle + look.px(10)}};
        ImGui::PushID(static_cast<int>(i));
        if (toggles && hit_area(look, "legend", area)) state.hidden ^= 1u << i;
        ImGui::PopID();
        const bool off = state.hidden >> i & 1u, hovered = toggles && ImGui::IsItemHovered();
        const Color ink = off ? look.theme.faint : entry.color;
        const float half = look.px(1.5f), swatch = look.px(spacing.swatch);
        const auto dash = [&](float from, float to) {
            list.AddRectFilled({std::round(x + from), std::round(middle - half)},
                               {std::round(x + to), std::round(middle + half)}, ink);
        };
        if (entry.ended) {
            draw_cross(list, {x + swatch / 2, middle}, look.px(4.5f), look.px(2), ink);
        } else if (entry.dashed) {
            dash(0, swatch * 0.36f);
            dash(swatch * 0.64f, swatch);
        } else {
            list.AddRectFilled({x, std::round(middle - look.px(2))},
                               {x + swatch, std::round(middle + look.px(2))}, ink, look.px(2));
        }
        const Color words = hovered ? look.theme.text : look.theme.muted;
        const ImVec2 size = text_size(look.fonts.small, entry.label.c_str());
        const ImVec2 at{x + swatch + look.px(spacing.gap), middle - size.y / 2};
        text(list, look.fonts.small, at, words, entry.label.c_str());
        if (off)
            list.AddRectFilled({at.x, std::round(middle)}, {at.x + size.x, std::round(middle) + 1}, words);
        x -= look.px(spacing.between);
    }
}

}  // namespace

PanelArea begin_panel(const Look& look, const Rect& frame, const PanelOptions& options, PanelState& state) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    // A title may begin with room for something else.
    const size_t words = std::min(options.title.find_first_not_of(' '), options.title.size());
    look.plots.add({options.id, options.title.substr(words), frame.min, frame.max});
    ImGui::PushID(options.id);

    const float middle = frame.min.y + look.px(17), inset = look.px(12);
    float left = frame.min.x + inset;
    draw_formula(look, list, look.fonts.strong, {left, middle - text_size(look.fonts.strong, "x").y / 2},
                 look.theme.text, options.title.c_str());
    left += formula_width(look.fonts.strong, options.title.c_str()) + look.px(6);
    const ImVec2 mark{left + look.px(info_width / 2), middle};
    left += look.px(info_width + 7);

    if (options.can_log) {
        const char* label = state.scale == Scale::log ? "log" : "lin";
        const ImVec2 size = text_size(look.fonts.small, label);
        const Rect chip{{left, middle - look.px(9)}, {left + size.x + look.px(12), middle + look.px(9)}};
        if (hit_area(look, "scale", chip))
            state.scale = state.scale == Scale::log ? Scale::linear : Scale::log;
        const bool hovered = ImGui::IsItemHovered();
        list.AddRectFilled(chip.min, chip.max, hovered ? look.theme.control_hovered : look.theme.control,
                           look.px(5));
        text(list, look.fonts.small, {left + look.px(6), middle - size.y / 2},
             hovered ? look.theme.text : look.theme.muted, label);
        left = chip.max.x + look.px(8);
    }

    float right = frame.max.x - inset;
    const Rect expand{{right - look.px(14), middle - look.px(9)}, {right + look.px(4), middle + look.px(9)}};
    if (hit_area(look, "full", expand)) state.full = !state.full;
    const Color icon = ImGui::IsItemHovered() ? look.theme.text : look.theme.faint;
    draw_expand_icon(list, {right - look.px(5), middle}, look.px(4.5f), look.px(1.3f), state.full, icon);
    right -= look.px(22);

    Rect content{{frame.min.x + inset, frame.min.y + look.px(34)},
                 {frame.max.x - inset, frame.max.y - look.px(8)}};
    // Beside the title; else on a line of its own; else in fewer words; else closer together.
    const float gap = look.px(roomy.between), beside = right - left + gap, below = content.width() + gap;
    const std::vector<LegendEntry> brief = shortened(options.legend);
    const bool fits = legend_width(look, options.legend, roomy) <= std::max(beside, below);
    const std::span<const LegendEntry> legend = fits ? options.legend : brief;
    const Spacing& spacing = legend_width(look, legend, roomy) <= std::max(beside, below) ? roomy : tight;
    if (legend_width(look, legend, spacing) <= beside) {
        draw_legend(look, list, right, middle, legend, spacing, options.toggles, state);
    } else {
        draw_legend(look, list, frame.max.x - inset, frame.min.y + look.px(38), legend, spacing,
                    options.toggles, state);
        content.min.y += look.px(18);
    }
    draw_info(look, options.explanation, mark, content.min.y);
    for (size_t line = options.footer.size(); line-- > 0;) {
        const std::string shown = fitted(look.fonts.small, options.footer[line], content.width());
        content.max.y -= look.px(17);
        text(list, look.fonts.small, {content.min.x, content.max.y + look.px(3)}, look.theme.muted,
             shown.c_str());
    }
    ImGui::PopID();
    return {content, frame.contains(ImGui::GetMousePos()) && ImGui::IsWindowHovered()};
}

void draw_cross(ImDrawList& list, ImVec2 center, float reach, float width, Color color) {
    for (const float slope : {-1.0f, 1.0f}) {
        const ImVec2 bar[2] = {{center.x - reach, center.y - slope * reach},
                               {center.x + reach, center.y + slope * reach}};
        stroke(list, bar, color, width);
    }
}

void empty_note(const Look& look, const Rect& content, const char* note) {
    const ImVec2 size = text_size(look.fonts.small, note);
    text(*ImGui::GetWindowDrawList(), look.fonts.small,
         {(content.min.x + content.max.x - size.x) / 2, (content.min.y + content.max.y - size.y) / 2},
         look.theme.muted, note);
}

void draw_reading(const Look& look, ImVec2 at, const std::string& heading,
                  std::span<const ReadingLine> lines) {
    const ImGuiViewport& screen = *ImGui::GetMainViewport();
    const Rect within{screen.Pos, {screen.Pos.x + screen.Size.x, screen.Pos.y + screen.Size.y}};
    ImFont* const words = look.fonts.small;
    ImFont* const numbers = look.fonts.mono;
    float name_width = text_size(words, heading.c_str()).x, value_width = 0;
    for (const ReadingLine& line : lines) {
        name_width = std::max(name_width, text_size(words, line.name.c_str()).x);
        value_width = std::max(value_width, text_size(numbers, line.text.c_str()).x);
    }
    const float row = look.px(18), padding = look.px(8), swatch = lines.empty() ? 0 : look.px(14);
    const ImVec2 size{padding * 2 + swatch + name_width + (lines.empty() ? 0 : look.px(12) + value_width),
                      padding * 2 - look.px(4) + row * static_cast<float>(lines.size() + 1)};
    ImVec2 corner{at.x + look.px(14), at.y - size.y / 2};
    if (corner.x + size.x > within.max.x) corner.x = at.x - look.px(14) - size.x;
    corner.x = std::round(std::max(corner.x, within.min.x));
    corner.y = std::round(std::clamp(corner.y, within.min.y, std::max(within.min.y, within.max.y - size.y)));

    ImDrawList& list = *ImGui::GetForegroundDrawList();
    const ImVec2 end{corner.x + size.x, corner.y + size.y};
    list.AddRectFilled(corner, end, faded(look.theme.dark ? rgb(0x0E1116) : rgb(0xFFFFFF), 0.94f),
                       look.px(6));
    list.AddRect(corner, end, look.theme.control_border, look.px(6));
    float y = corner.y + padding - look.px(2);
    text(list, words, {corner.x + padding, y}, look.theme.muted, heading.c_str());
    for (const ReadingLine& line : lines) {
        y += row;
        disc(list, look.fonts, {corner.x + padding + look.px(4), y + look.px(7)}, look.px(4), line.color);
        text(list, words, {corner.x + padding + swatch, y}, look.theme.text, line.name.c_str());
        const ImVec2 value = text_size(numbers, line.text.c_str());
        text(list, numbers, {end.x - padding - value.x, y}, look.theme.text, line.text.c_str());
    }
}

}  // namespace lab::plot
