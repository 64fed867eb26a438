// The tensor as a grid of examples and units, with the set that is averaged over on it.
#include <algorithm>
#include <cmath>

#include "app/experiment/words.hpp"
#include "app/lab/microscope/slide.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

using vknorm::Norm;

constexpr size_t most_rows = 16, most_columns = 24;  // of cells; each may stand for several

/// What the set is, in words.
std::string words_of(const Slide& slide) {
    const Specimen& s = slide.specimen;
    const std::string m = std::to_string(slide.whole.size());
    if (by_running(s, slide.exact.mode))
        return "\u03BC and \u03C3\u00B2 are running ones, of batches before: no value of this batch has a "
               "say.";
    switch (s.kind) {
        case Norm::layer:
            return "One \u03BC and one \u03C3\u00B2 from the " + m +
                   " units of this example. Other examples never mix in.";
        case Norm::rms:
            return "One mean of squares from the " + m + " units of this example. No mean is taken.";
        case Norm::group:
            return "One \u03BC and one \u03C3\u00B2 from " + m + " units of this example, a group of its " +
                   std::to_string(s.groups) + ".";
        case Norm::ghost:
            return "One \u03BC and one \u03C3\u00B2 from " + m +
                   " examples of this unit: a ghost, a part of the batch.";
        case Norm::batch_renorm:
            return "One \u03BC and one \u03C3\u00B2 from the " + m +
                   " values of this unit, corrected by r and d towards the running ones.";
        case Norm::instance:
            return "One \u03BC and one \u03C3\u00B2 from the " + m +
                   " values of this channel of this example.";
        default:
            return "One \u03BC and one \u03C3\u00B2 from the " + m +
                   " values of this unit. Other units never mix in.";
    }
}

void draw_arrow(const Look& look, ImDrawList& list, ImVec2 from, ImVec2 to) {
    const Color color = look.theme.muted;
    list.AddLine(from, to, color, look.px(1));
    const float r = look.px(3);
    if (to.x > from.x)
        list.AddTriangleFilled({to.x - r, to.y - r}, {to.x + r, to.y}, {to.x - r, to.y + r}, color);
    else
        list.AddTriangleFilled({to.x - r, to.y - r}, {to.x + r, to.y - r}, {to.x, to.y + r}, color);
}

/// Whether a norm's set around (row, column) has that cell, in a small tensor of its own.
bool in_set(Norm norm, size_t row, size_t column, size_t rows, size_t columns) {
    const bool own_column = column == 1, own_row = row == 0;
    switch (norm) {
        case Norm::layer:
        case Norm::rms:
            return own_row;
        case Norm::group:
            return own_row && column < columns / 2;
        case Norm::ghost:
            return own_column && row < rows / 2;
        case Norm::none:
            return false;
        default:
            return own_column;
    }
}

}  // namespace

void draw_tensor(const Slide& slide, float width) {
    const Look& look = slide.look;
    const Specimen& s = slide.specimen;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImFont* const small = look.fonts.small;
    const float line = small->FontSize + look.px(3);
    const size_t rows = std::min<size_t>(s.rows(), most_rows),
                 columns = std::min<size_t>(s.channels, most_columns);
    const float margin = look.px(16), cell = (width - margin) / static_cast<float>(columns),
                cell_height = std::min(cell, look.px(9));

    plot::text(list, small, at, look.theme.muted, "Set that is averaged");
    float y = at.y + line;
    const std::string units = std::to_string(s.channels) + (s.positions > 1 ? " channels" : " units");
    plot::text(list, small, {at.x + margin, y}, look.theme.muted, units.c_str());
    const float after = at.x + margin + plot::text_size(small, units.c_str()).x + look.px(8);
    draw_arrow(look, list, {after, y + line / 2}, {at.x + width - look.px(4), y + line / 2});
    y += line + look.px(1);

    const bool running = by_running(s, slide.exact.mode);
    std::vector<bool> lit(rows * columns);
    const auto cell_of = [&](size_t element) {
        return size_t{s.row_of(element)} * rows / s.rows() * columns +
               size_t{s.channel_of(element)} * columns / s.channels;
    };
    for (const size_t i : slide.whole) lit[cell_of(i)] = !running;
    const size_t followed = cell_of(slide.chosen);
    plot::Rect around{{1e9f, 1e9f}, {-1e9f, -1e9f}};
    for (size_t row = 0; row < rows; ++row)
        for (size_t column = 0; column < columns; ++column) {
            const ImVec2 min{at.x + margin + cell * static_cast<float>(column),
                             y + cell_height * static_cast<float>(row)};
            const ImVec2 max{min.x + cell - 1, min.y + cell_height - 1};
            const size_t place = row * columns + column;
            list.AddRectFilled(min, max,
                               place == followed ? look.theme.text
                               : lit[place]      ? look.theme.twins[0]
                                                 : look.theme.control_hovered);
            if (!lit[place]) continue;
            around = {{std::min(around.min.x, min.x), std::min(around.min.y, min.y)},
                      {std::max(around.max.x, max.x), std::max(around.max.y, max.y)}};
        }
    if (around.max.x > around.min.x)
        list.AddRect({around.min.x - look.px(2), around.min.y - look.px(2)},
                     {around.max.x + look.px(2), around.max.y + look.px(2)}, look.theme.text, look.px(3), 0,
                     look.px(1.3f));
    const float bottom = y + cell_height * static_cast<float>(rows);
    draw_arrow(look, list, {at.x + look.px(5), y + look.px(2)}, {at.x + look.px(5), bottom - look.px(5)});
    y = bottom + look.px(3);
    std::string examples = std::to_string(s.rows()) + " examples";
    if (s.positions > 1) examples += " of " + std::to_string(s.positions) + " places each";
    plot::text(list, small, {at.x, y}, look.theme.muted, examples.c_str());
    y += line + look.px(2);
    const std::string words = words_of(slide);
    list.AddText(small, small->FontSize, {std::round(at.x), std::round(y)}, look.theme.text, words.c_str(),
                 nullptr, width);
    y += small->CalcTextSizeA(small->FontSize, 1e9f, width, words.c_str()).y + look.px(7);
    ImGui::SetCursorScreenPos({at.x, y});
}

std::optional<Norm> draw_norm_thumbnails(const Look& look, float width, Norm now) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    constexpr size_t rows = 4, columns = 8;
    const size_t per_row = width < look.px(230) ? 3 : 4;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float gap = look.px(6),
                each = (width - gap * static_cast<float>(per_row - 1)) / static_cast<float>(per_row),
                height = look.px(24) + look.fonts.small->FontSize + look.px(6);
    std::optional<Norm> chosen;
    for (size_t k = 0; k < norm_choices.size(); ++k) {
        const Choice<Norm>& choice = norm_choices[k];
        const ImVec2 min{at.x + (each + gap) * static_cast<float>(k % per_row),
                         at.y + (height + gap) * static_cast<float>(k / per_row)},
            max{min.x + each, min.y + height};
        ImGui::SetCursorScreenPos(min);
        if (press_area(look, choice.word, {each, height})) chosen = choice.value;
        const bool hovered = ImGui::IsItemHovered(), framed = choice.value == now;
        hint(look, choice.note);
        list.AddRectFilled(min, max, hovered ? look.theme.control_hovered : look.theme.control, look.px(5));
        list.AddRect(min, max, framed ? look.theme.grip : look.theme.control_border, look.px(5), 0,
                     look.px(framed ? 1.8f : 1.0f));
        const float left = min.x + look.px(7), top = min.y + look.px(5),
                    cell = (each - look.px(14)) / columns, cell_height = look.px(17) / rows;
        for (size_t row = 0; row < rows; ++row)
            for (size_t column = 0; column < columns; ++column) {
                const ImVec2 corner{left + cell * static_cast<float>(column),
                                    top + cell_height * static_cast<float>(row)};
                list.AddRectFilled(corner, {corner.x + cell - 1, corner.y + cell_height - 1},
                                   in_set(choice.value, row, column, rows, columns)
                                       ? look.theme.twins[0]
                                       : mixed(look.theme.control, look.theme.faint, 0.55f));
            }
        std::string label = choice.name;
        if (const size_t norm = label.find("Norm"); norm != std::string::npos && norm > 0) label.erase(norm);
        if (choice.value == Norm::batch_renorm) label = "Renorm";
        const std::string shown = plot::fitted(look.fonts.small, label, each - look.px(2));
        const ImVec2 size = plot::text_size(look.fonts.small, shown.c_str());
        plot::text(list, look.fonts.small, {(min.x + max.x - size.x) / 2, max.y - size.y - look.px(3)},
                   look.theme.text, shown.c_str());
    }
    const auto lines = static_cast<float>((norm_choices.size() + per_row - 1) / per_row);
    ImGui::SetCursorScreenPos({at.x, at.y + (height + gap) * lines});
    return chosen;
}

}  // namespace lab
