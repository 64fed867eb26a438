// The gradient on its way back, a bar for each value of the set: dy, the three terms of dx, and dx.
#include <algorithm>
#include <cmath>

#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"

namespace lab {

namespace {

constexpr float not_reached = 0.6f;
constexpr size_t row_count = 5;
constexpr std::array<size_t, row_count> step_of_row = {5, 8, 6, 7, 9};

struct Row {
    std::string name, note;
    std::string absent{};  ///< why there are no bars
};

std::array<Row, row_count> rows_of(const Slide& slide) {
    const Specimen& s = slide.specimen;
    const bool constant = by_running(s, slide.exact.mode), rms = s.kind == vknorm::Norm::rms;
    const bool per_set = slide.across_units();
    // Where gamma is the same over the set, the sums are those of dbeta and dgamma.
    const std::string mean = per_set ? "mean(d^x)" : "d\u03B2/m",
                      along = per_set ? "mean(d^x\u00B7^x)" : "d\u03B3/m";
    const std::string gamma = per_set ? "" : "\u03B3\u00B7";
    std::array<Row, row_count> rows = {{
        {"dy", "gradient of the output"},
        {"1   r\u00B7\u03B3\u00B7dy", "r = 1/\u221A(\u03C3\u00B2+\u03B5)"},
        {"2   \u2212r\u00B7" + gamma + mean, "takes out the mean"},
        {"3   \u2212r\u00B7^x\u00B7" + gamma + along, "and the part along ^x"},
        {constant ? "dx = 1"
         : rms    ? "dx = 1 + 3"
                  : "dx = 1 + 2 + 3",
         constant ? "statistics are constants"
         : rms    ? "the width stays"
                  : "\u03A3 dx = 0: pushes cancel"},
    }};
    if (s.kind == vknorm::Norm::batch_renorm && !constant) {
        rows[1] = {"1   d^x\u00B7/\u03C3", "d^x = r\u00B7\u03B3\u00B7dy"};
        rows[2].name = "2   \u2212mean(d^x)/\u03C3";
        rows[3].name = "3   \u2212^x\u00B7mean(d^x\u00B7^x)/\u03C3";
    }
    if (constant) rows[2].absent = rows[3].absent = "none: running statistics are constants";
    if (rms) rows[2].absent = "none: RMSNorm takes no mean";
    return rows;
}

double value_of(const Slide& slide, size_t row, size_t i) {
    const Examination& exact = slide.exact;
    switch (row) {
        case 0:
            return double{slide.specimen.device.dy[i]};
        case 1:
            return exact.own[i];
        case 2:
            return exact.from_mean[i];
        case 3:
            return exact.from_variance[i];
        default:
            return exact.dx[i];
    }
}

void draw_legend(const Look& look, const plot::Rect& frame) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = frame.min.y + look.px(17);
    float x = frame.max.x - look.px(12);
    for (const bool positive : {false, true}) {
        const char* const words = positive ? "positive" : "negative";
        const ImVec2 size = plot::text_size(look.fonts.small, words);
        x -= size.x;
        plot::text(list, look.fonts.small, {x, middle - size.y / 2}, look.theme.muted, words);
        x -= look.px(17);
        list.AddRectFilled({x, middle - look.px(2)}, {x + look.px(12), middle + look.px(2)},
                           look.theme.classes[positive ? 2 : 3], look.px(2));
        x -= look.px(10);
    }
}

}  // namespace

std::optional<size_t> draw_backward(const Slide& slide, const plot::Rect& frame) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const plot::Rect area = draw_titled_card(
        look, frame, slide.across_units() ? "Backward: one bar per unit" : "Backward: one bar per example",
        frame.width() > look.px(500) ? "sorted by z" : "");
    if (slide.exact.mode == NormMode::eval) {
        const char* const words = "Evaluation takes no gradient. F shows a frozen norm, which passes one on.";
        const std::string shown = plot::fitted(look.fonts.small, words, area.width());
        const ImVec2 size = plot::text_size(look.fonts.small, shown.c_str());
        plot::text(list, look.fonts.small,
                   {(area.min.x + area.max.x - size.x) / 2, (area.min.y + area.max.y - size.y) / 2},
                   look.theme.muted, shown.c_str());
        return {};
    }
    if (frame.width() > look.px(420)) draw_legend(look, frame);

    const std::array<Row, row_count> rows = rows_of(slide);
    float labels = look.px(116);
    for (const Row& row : rows)
        labels = std::max(labels, symbols_size(look.fonts.strong, row.name).x + look.px(10));
    const float left = area.min.x + labels, right = area.max.x;
    const float pitch = area.height() / row_count;
    const float each = (right - left) / static_cast<float>(slide.values.size());
    const float bar = std::max(1.0f, each - (each > 4 ? look.px(1.5f) : 0.0f));
    double most_dy = 0, most = 0;
    for (const size_t i : slide.values)
        for (size_t row = 0; row < row_count; ++row) {
            double& largest = row == 0 ? most_dy : most;
            largest = std::max(largest, std::abs(value_of(slide, row, i)));
        }
    size_t followed = 0;
    for (size_t k = 0; k < slide.values.size(); ++k)
        if (slide.values[k] == slide.chosen) followed = k;

    for (size_t row = 0; row < row_count; ++row) {
        const float top = area.min.y + pitch * static_cast<float>(row), middle = std::round(top + pitch / 2);
        const bool lit = slide.stepper.step() == step_of_row[row];
        if (lit)
            list.AddRectFilled({frame.min.x + look.px(5), top + 1},
                               {frame.max.x - look.px(5), top + pitch - 1},
                               mixed(look.theme.panel, look.theme.grip, 0.12f), look.px(5));
        else if (row > 0 && slide.stepper.step() != step_of_row[row - 1])
            list.AddRectFilled({area.min.x, std::round(top)}, {right, std::round(top) + 1}, look.theme.grid);
        const bool tall = pitch >= look.px(50);
        const float name_height = look.fonts.strong->FontSize, small = look.fonts.small->FontSize,
                    block = name_height + look.fonts.mono->FontSize + look.px(2) + (tall ? small : 0);
        float y = middle - block / 2;
        draw_symbols(look, list, look.fonts.strong, {area.min.x, y}, look.theme.text, rows[row].name);
        y += name_height + look.px(1);
        if (tall) {
            draw_symbols(look, list, look.fonts.small, {area.min.x, y}, look.theme.muted, rows[row].note);
            y += small + look.px(1);
        }
        if (!rows[row].absent.empty()) {
            const std::string shown = plot::fitted(look.fonts.small, rows[row].absent, right - left);
            plot::text(list, look.fonts.small, {left, middle - small / 2}, look.theme.muted, shown.c_str());
            continue;
        }
        plot::text(list, look.fonts.mono, {area.min.x, y}, look.theme.text,
                   figure(value_of(slide, row, slide.chosen)).c_str());
        list.AddRectFilled({left, middle}, {right, middle + 1}, look.theme.control_border);
        const double largest = row == 0 ? most_dy : most;
        const float reach = pitch / 2 - look.px(5), grown = slide.stepper.reached(step_of_row[row]);
        for (size_t k = 0; k < slide.values.size() && largest > 0; ++k) {
            const double value = value_of(slide, row, slide.values[k]);
            const auto height = static_cast<float>(value / largest) * reach;
            const float x = left + each * static_cast<float>(k);
            const Color color = look.theme.classes[value > 0 ? 2 : 3];
            const auto draw = [&](float part, float strength) {
                const float tip = middle - height * part;
                list.AddRectFilled({x, std::min(tip, middle)}, {x + bar, std::max(tip, middle + 1)},
                                   faded(color, strength * (k == followed ? 1.0f : 0.86f)));
            };
            if (grown < 1) draw(1, not_reached);
            if (grown > 0) draw(grown, 1);
        }
    }

    const float x = left + each * static_cast<float>(followed);
    // A frame around its bars, which leaves out rows that have words instead.
    const auto has_bars = [&](size_t row) { return row < row_count && rows[row].absent.empty(); };
    for (size_t first = 0; first < row_count; ++first) {
        if (!has_bars(first)) continue;
        size_t end = first;
        while (has_bars(end)) ++end;
        list.AddRect({x - look.px(2), area.min.y + pitch * static_cast<float>(first) + look.px(1)},
                     {x + bar + look.px(2), area.min.y + pitch * static_cast<float>(end) - look.px(1)},
                     look.theme.text, look.px(3), 0, look.px(1.4f));
        first = end;
    }
    std::vector<std::string> words = {slide.value_name(slide.chosen)};
    if (slide.specimen.device.dy[slide.chosen] == 0) words.push_back("no push: dy is 0");
    for (size_t k = 0; k < words.size(); ++k) {
        const ImVec2 size = plot::text_size(look.fonts.small, words[k].c_str());
        const bool beside_left = x - look.px(8) - size.x >= left;
        const ImVec2 at{beside_left ? x - look.px(8) - size.x : x + bar + look.px(8),
                        area.min.y + look.px(2) + size.y * static_cast<float>(k)};
        list.AddRectFilled({at.x - look.px(3), at.y}, {at.x + size.x + look.px(3), at.y + size.y},
                           faded(look.theme.panel, 0.85f), look.px(3));
        plot::text(list, look.fonts.small, at, look.theme.text, words[k].c_str());
    }
    const ImVec2 mouse = ImGui::GetMousePos();
    if (!ImGui::IsWindowHovered() || !area.contains(mouse) || mouse.x < left || each <= 0) return {};
    return slide.values[std::min(static_cast<size_t>((mouse.x - left) / each), slide.values.size() - 1)];
}

}  // namespace lab
