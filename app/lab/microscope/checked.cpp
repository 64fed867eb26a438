// The table of what the device's kernels gave, beside float64 and finite differences.
#include <algorithm>
#include <cmath>

#include "app/experiment/microscope_checks.hpp"
#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"
#include "app/plot/panel.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

const char* symbol_of(Quantity quantity, bool rms) {
    switch (quantity) {
        case Quantity::mean:
            return "\u03BC";
        case Quantity::variance:
            return rms ? "q" : "\u03C3\u00B2";
        case Quantity::inv_std:
            return rms ? "1/\u221A(q+\u03B5)" : "1/\u221A(\u03C3\u00B2+\u03B5)";
        case Quantity::r:
            return "r";
        case Quantity::d:
            return "d";
        case Quantity::normalized:
            return "^x";
        case Quantity::y:
            return "y";
        case Quantity::dbeta:
            return "d\u03B2";
        case Quantity::dgamma:
            return "d\u03B3";
        case Quantity::dx:
            return "dx";
    }
    return "";
}

/// The step in which a quantity comes up.
size_t step_of(Quantity quantity) {
    switch (quantity) {
        case Quantity::mean:
            return 1;
        case Quantity::variance:
        case Quantity::inv_std:
        case Quantity::normalized:
            return 2;
        case Quantity::r:
        case Quantity::d:
        case Quantity::y:
            return 3;
        case Quantity::dbeta:
            return 6;
        case Quantity::dgamma:
            return 7;
        case Quantity::dx:
            return 9;
    }
    return lens_steps;
}

std::string percent_of_bound(double ratio) {
    if (!std::isfinite(ratio)) return "none";
    return ratio == 0 ? "equal" : figure(ratio);
}

// At the right end of the title: the verdict.
void draw_verdict(const Look& look, const plot::Rect& frame, float left_end, size_t within, size_t checked,
                  double worst_of_layer) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const bool good = within == checked && worst_of_layer <= 1;
    std::string words = std::to_string(within) + " of " + std::to_string(checked) + " within bounds";
    const std::string all = " \u00B7 layer's worst " + percent_of_bound(worst_of_layer);
    if (checked == 0) words = "the step was of another mode";
    const float icon = look.px(checked == 0 ? 0 : 18), right = frame.max.x - look.px(10);
    const auto width = [&](const std::string& text) {
        return plot::text_size(look.fonts.small, text.c_str()).x + icon + look.px(16);
    };
    if (checked > 0 && right - width(words + all) > left_end) words += all;
    if (right - width(words) < left_end) words = std::to_string(within) + "/" + std::to_string(checked);
    const float middle = frame.min.y + look.px(17), left = right - width(words);
    const Color color = checked == 0 ? look.theme.muted : good ? look.theme.good : look.theme.bad;
    list.AddRectFilled({left, middle - look.px(10)}, {right, middle + look.px(10)},
                       mixed(look.theme.panel, color, 0.15f), look.px(5));
    const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
    if (checked > 0 && good)
        draw_tick(list, {left + look.px(15), middle}, look.px(5), look.px(1.8f), color);
    else if (checked > 0)
        plot::draw_cross(list, {left + look.px(15), middle}, look.px(4), look.px(1.8f), color);
    plot::text(list, look.fonts.small, {left + look.px(8) + icon, middle - size.y / 2}, look.theme.text,
               words.c_str());
}

}  // namespace

void draw_checked(const Slide& slide, const plot::Rect& frame, double worst_of_layer) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const std::string title = "Checked";
    const plot::Rect area = draw_titled_card(
        look, frame, title, frame.width() > look.px(520) ? slide.value_name(slide.chosen) : "");
    const std::vector<CheckedNumber> numbers = checked_numbers(slide.specimen, slide.exact, slide.chosen);
    size_t checked = 0, within = 0;
    for (const CheckedNumber& number : numbers) {
        checked += number.device.has_value();
        within += number.device && number.ratio() <= 1;
    }
    draw_verdict(look, frame,
                 frame.min.x + look.px(24) + plot::text_size(look.fonts.strong, title.c_str()).x +
                     (frame.width() > look.px(520) ? look.px(80) : 0),
                 within, checked, worst_of_layer);

    // Right edges of the columns; the last one has the tick.
    const bool wide = area.width() > look.px(560);
    const float tick_width = look.px(20), first = look.px(66), right = area.max.x - tick_width;
    std::vector<const char*> heads = {"device, float32", "float64", "difference", "of its bound",
                                      "finite difference"};
    if (!wide) heads = {"device", "float64", "of bound", "finite diff."};
    std::vector<float> weights = wide ? std::vector<float>{1.1f, 1.1f, 0.85f, 0.75f, 1.2f}
                                      : std::vector<float>{1.15f, 1.15f, 0.75f, 1.15f};
    float sum = 0;
    for (const float weight : weights) sum += weight;
    std::vector<float> edges;
    float edge = area.min.x + first;
    for (const float weight : weights) edges.push_back(edge += (right - area.min.x - first) * weight / sum);

    const float row =
        std::min(look.px(19), (area.height()) / static_cast<float>(std::max<size_t>(numbers.size(), 8) + 1));
    float y = area.min.y;
    const auto right_aligned = [&](ImFont* font, float at, Color color, const std::string& words) {
        plot::text(list, font, {at - plot::text_size(font, words.c_str()).x, y}, color, words.c_str());
    };
    plot::text(list, look.fonts.small, {area.min.x, y}, look.theme.muted, "quantity");
    for (size_t k = 0; k < heads.size(); ++k)
        right_aligned(look.fonts.small, edges[k], look.theme.muted, heads[k]);
    y += row;
    list.AddRectFilled({area.min.x, std::round(y) - look.px(1)}, {area.max.x, std::round(y)},
                       look.theme.grid);
    for (const CheckedNumber& number : numbers) {
        if (slide.stepper.step() == step_of(number.quantity))
            list.AddRectFilled({area.min.x - look.px(6), y}, {area.max.x + look.px(4), y + row},
                               mixed(look.theme.panel, look.theme.grip, 0.12f), look.px(4));
        const float below = y;
        y += std::round((row - look.fonts.small->FontSize) / 2);
        draw_symbols(look, list, look.fonts.small, {area.min.x, y}, look.theme.text,
                     symbol_of(number.quantity, slide.specimen.kind == vknorm::Norm::rms));
        const auto cell = [&](size_t column, const std::string& words, bool weak = false) {
            right_aligned(look.fonts.mono, edges[column], weak ? look.theme.muted : look.theme.text, words);
        };
        const std::string none = "\u2013";
        size_t column = 0;
        cell(column++, number.device ? digits(*number.device) : none, is_derived(number.quantity));
        cell(column++, digits(number.reference));
        if (wide)
            cell(column++, number.device ? figure(std::abs(*number.device - number.reference)) : none, true);
        cell(column++, number.device ? percent_of_bound(number.ratio()) : none, true);
        cell(column++, number.by_difference ? digits(*number.by_difference) : none);
        if (number.device) {
            const ImVec2 center{area.max.x - look.px(7), below + row / 2};
            if (number.ratio() <= 1)
                draw_tick(list, center, look.px(4.5f), look.px(1.6f), look.theme.good);
            else
                plot::draw_cross(list, center, look.px(3.5f), look.px(1.6f), look.theme.bad);
        }
        y = below + row;
    }
    ImGui::SetCursorScreenPos(area.min);
    ImGui::InvisibleButton("checked", {std::max(area.width(), 1.0f), std::max(area.height(), 1.0f)});
    hint(look,
         "What the kernels of this training step gave, in float32, beside the equations in float64. Bounds "
         "are "
         "those of the tests. Kernels do not write the muted ones, which follow from what they write. Finite "
         "differences are of float64.",
         Side::below);
}

}  // namespace lab
